//! Runs, and never becomes ready in any way.

fn main() {
    loop {
        std::thread::park();
    }
}

//! Writes lines without pause, then goes on quietly: `chatters LINES`. The last line has no line feed.

use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    let count: u32 = std::env::args().nth(1).ok_or("the number of lines is missing")?.parse()?;
    let mut output = std::io::stdout().lock();
    for number in 0..count {
        writeln!(output, "line {number}")?;
    }
    write!(output, "the end")?;
    output.flush()?;
    drop(output);
    writeln!(std::io::stderr(), "this is an error")?;
    loop {
        std::thread::park();
    }
}

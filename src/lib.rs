//! mainstay turns a packaged program into a service that stays up.

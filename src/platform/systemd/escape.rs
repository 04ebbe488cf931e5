//! The four grammars of a unit's values.

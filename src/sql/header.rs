//! Reads the comment header of a `.sql` file (to be completed).

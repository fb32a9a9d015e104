//! Whole drills through the program: to the end, through crashes, and the same in every front end.

mod default;
mod estate;
mod faults;
mod fronts;
mod kills;

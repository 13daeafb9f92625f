//! An order of the directories that does not depend on the threads.

use crate::Walked;

impl<L> Walked<L> {
    /// The place of each directory, by number, in path order: a directory before those below it, siblings by the
    /// bytes of their names, roots in the order given.
    ///
    /// # Panics
    ///
    /// Never: each number in it is that of a directory of this walk.
    #[must_use]
    pub fn ranks(&self) -> Vec<u32> {
        let mut first_child = vec![u32::MAX; self.dirs.len()];
        let mut next_sibling = vec![u32::MAX; self.dirs.len()];
        let mut stack: Vec<u32> = Vec::new();
        for (number, node) in (0u32..).zip(&self.dirs) {
            match node.parent {
                Some(parent) => {
                    next_sibling[number as usize] = first_child[parent as usize];
                    first_child[parent as usize] = number;
                }
                None => stack.push(number),
            }
        }
        stack.reverse();
        let mut ranks = vec![0; self.dirs.len()];
        let mut rank = 0;
        while let Some(number) = stack.pop() {
            ranks[number as usize] = rank;
            rank += 1;
            let from = stack.len();
            let mut child = first_child[number as usize];
            while child != u32::MAX {
                stack.push(child);
                child = next_sibling[child as usize];
            }
            stack[from..].sort_unstable_by(|a, b| {
                self.dirs[*b as usize]
                    .name
                    .bytes()
                    .cmp(self.dirs[*a as usize].name.bytes())
            });
        }
        ranks
    }
}

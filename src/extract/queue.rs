//! A bounded queue, newest first.
//!
//! A meeting whose list is already known arrives at once and a newer one only after its list was fetched, so the order
//! of arrival is not enough. Once all writers are done the longest items come first: a walk goes page by page, and a
//! long one that starts last would leave the rate limit unused.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

/// Items of the same time keep their order of arrival.
#[derive(Debug)]
pub(super) struct NewestFirst<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    length: watch::Sender<usize>,
    is_filled: Notify,
    is_emptied: Notify,
}

#[derive(Debug)]
struct State<T> {
    /// The last entry comes first. The number of calls is kept for the rank after all writers are done.
    waiting: BTreeMap<Rank, (u64, T)>,
    arrived: u64,
    writers: usize,
}

/// The calls once all writers are done, 0 before; then the time, then the order of arrival.
type Rank = (u64, i64, Reverse<u64>);

impl<T> NewestFirst<T> {
    /// Each of the `writers` calls [`NewestFirst::writer_done`] at its end.
    pub(super) fn new(capacity: usize, writers: usize) -> NewestFirst<T> {
        let state = State { waiting: BTreeMap::new(), arrived: 0, writers };
        let length = watch::Sender::new(0);
        NewestFirst { state: Mutex::new(state), capacity, length, is_filled: Notify::new(), is_emptied: Notify::new() }
    }

    pub(super) fn length(&self) -> watch::Receiver<usize> {
        self.length.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item without waiting, whatever the capacity. `calls` is the number that it needs.
    pub(super) fn insert(&self, time: i64, calls: u64, item: T) {
        self.insert_into(&mut self.state(), time, calls, item);
        self.is_filled.notify_one();
    }

    fn insert_into(&self, state: &mut State<T>, time: i64, calls: u64, item: T) {
        state.arrived += 1;
        let rank = (0, time, Reverse(state.arrived));
        state.waiting.insert(rank, (calls, item));
        self.length.send_replace(state.waiting.len());
    }

    /// Adds an item. Waits while the queue is full, unless the item is the newest.
    pub(super) async fn push(&self, time: i64, calls: u64, item: T) {
        let mut item = Some(item);
        loop {
            let emptied = self.is_emptied.notified();
            tokio::pin!(emptied);
            // Enabled before the check, so that no notification in between is missed.
            emptied.as_mut().enable();
            {
                let mut state = self.state();
                let is_newest = state.waiting.last_key_value().is_none_or(|(newest, _)| newest.1 <= time);
                if (state.waiting.len() < self.capacity || is_newest)
                    && let Some(item) = item.take()
                {
                    self.insert_into(&mut state, time, calls, item);
                }
            }
            if item.is_none() {
                return self.is_filled.notify_one();
            }
            emptied.await;
        }
    }

    pub(super) fn writer_done(&self) {
        let mut state = self.state();
        state.writers -= 1;
        if state.writers == 0 {
            let waiting = std::mem::take(&mut state.waiting).into_iter();
            state.waiting = waiting.map(|(rank, (calls, item))| ((calls, rank.1, rank.2), (calls, item))).collect();
        }
        drop(state);
        self.is_filled.notify_one();
    }

    /// Takes the first item; `None` once the queue is empty and every writer is done.
    pub(super) async fn pop(&self) -> Option<T> {
        loop {
            let filled = self.is_filled.notified();
            {
                let mut state = self.state();
                let next = state.waiting.pop_last();
                if next.is_some() {
                    self.length.send_replace(state.waiting.len());
                }
                if next.is_some() || state.writers == 0 {
                    // A notification wakes one reader, which passes it on while there is more.
                    if !state.waiting.is_empty() || state.writers == 0 {
                        self.is_filled.notify_one();
                    }
                    self.is_emptied.notify_waiters();
                    return next.map(|(_, (_, item))| item);
                }
            }
            filled.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn the_newest_come_first_and_equal_ones_in_order_of_arrival() {
        let queue = NewestFirst::new(10, 1);
        for (time, item) in [(1, "old"), (3, "new"), (2, "a"), (2, "b")] {
            queue.push(time, 1, item).await;
        }
        queue.writer_done();
        let mut order = Vec::new();
        while let Some(item) = queue.pop().await {
            order.push(item);
        }
        assert_eq!(order, ["new", "a", "b", "old"]);
    }

    #[tokio::test]
    async fn once_all_writers_are_done_the_longest_come_first() {
        let queue = NewestFirst::new(10, 1);
        for (time, calls, item) in [(5, 1, "newest"), (4, 2, "long"), (1, 9, "longest"), (2, 2, "long too")] {
            queue.push(time, calls, item).await;
        }
        assert_eq!(queue.pop().await, Some("newest"));
        queue.writer_done();
        assert_eq!(*queue.length().borrow(), 3);
        assert_eq!(queue.pop().await, Some("longest"));
        assert_eq!((queue.pop().await, queue.pop().await, queue.pop().await), (Some("long"), Some("long too"), None));
        assert_eq!(*queue.length().borrow(), 0);
    }

    #[tokio::test]
    async fn a_full_queue_delays_older_items_only() {
        let queue = Arc::new(NewestFirst::new(1, 1));
        queue.push(5, 1, 5).await;
        queue.push(6, 1, 6).await;
        let older = Arc::clone(&queue);
        let waits = tokio::spawn(async move { older.push(4, 1, 4).await });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        assert_eq!((queue.pop().await, queue.pop().await, queue.pop().await), (Some(6), Some(5), Some(4)));
        waits.await.expect("pushed");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn concurrent_readers_and_writers_lose_nothing_and_finish() {
        for round in 0..50 {
            let queue = Arc::new(NewestFirst::new(3, 4));
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let queue = Arc::clone(&queue);
                    tokio::spawn(async move {
                        for item in 0..100 {
                            queue.push((item * 7 + writer + round) % 13, 1, (writer, item)).await;
                        }
                        queue.writer_done();
                    })
                })
                .collect();
            let readers: Vec<_> = (0..4)
                .map(|_| {
                    let queue = Arc::clone(&queue);
                    tokio::spawn(async move {
                        let mut read = 0;
                        while queue.pop().await.is_some() {
                            read += 1;
                        }
                        read
                    })
                })
                .collect();
            for writer in writers {
                writer.await.expect("written");
            }
            let mut read = 0;
            for reader in readers {
                read += reader.await.expect("read");
            }
            assert_eq!(read, 400);
        }
    }
}

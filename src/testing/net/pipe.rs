//! [`Pipe`]: one direction of one connection: bytes that were written, packets that are under way, and bytes that have
//! arrived.
//!
//! It is a small model of TCP: bytes leave while the other end has room for them (its window), arrive in order, and are
//! repeated after growing intervals when the link has lost them.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};

use super::link::{Split, State, Wire};

/// A packet on a connection.
#[derive(Debug, Clone)]
pub(super) enum Packet {
    /// The request to connect.
    Connect,
    /// The answer that the other end has a listener.
    Accepted,
    /// The answer that the other end has no listener.
    Refused,
    Data(Bytes),
    /// The end of the stream.
    End,
    /// The connection is over, and everything under way is lost.
    Reset,
}

impl Packet {
    /// Returns whether the packet belongs to making a connection.
    fn connects(&self) -> bool {
        matches!(self, Self::Connect | Self::Accepted | Self::Refused)
    }

    fn len(&self) -> usize {
        match self {
            Self::Data(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

/// A packet that is under way.
struct Sent {
    at: Duration,
    arrives: Duration,
    packet: Packet,
}

/// A packet that was lost.
struct Lost {
    /// How many times it was repeated.
    retries: u32,
    /// When it is repeated next.
    next: Duration,
}

/// The state of what is under way.
pub(super) enum Due {
    /// Nothing has arrived yet.
    Later,
    /// These packets have arrived, in order.
    Arrived(Vec<Packet>),
    /// The last repetition was lost, and the sender gives up.
    GivenUp,
    /// The sender is told that the other host cannot be reached.
    Unreachable,
}

/// The repetition of lost packets: the first interval, which doubles up to the longest one, and the number of
/// repetitions.
struct Retries {
    first: Duration,
    longest: Duration,
    count: u32,
}

/// An attempt to connect is given up after 127 seconds. Source: tcp(7), `tcp_syn_retries`.
const CONNECTING: Retries =
    Retries { first: Duration::from_secs(1), longest: Duration::from_secs(64), count: 6 };

/// A connection without an answer is given up after 924.6 seconds. Source: tcp(7), `tcp_retries2`, for a short latency.
const CONNECTED: Retries =
    Retries { first: Duration::from_millis(200), longest: Duration::from_secs(120), count: 15 };

impl Retries {
    fn wait(&self, retries: u32) -> Duration {
        self.first.saturating_mul(1 << retries.min(30)).min(self.longest)
    }
}

/// The last time at which a timer can be due. What would arrive later arrives then.
const END: Duration = Duration::from_nanos(u64::MAX);

pub(super) struct Pipe {
    wire: Rc<Wire>,
    /// The direction on the cable.
    direction: usize,
    /// Written bytes that wait for room at the other end, without empty entries.
    unsent: VecDeque<Bytes>,
    unsent_len: usize,
    /// `true` if the end of the stream follows the unsent bytes.
    ending: bool,
    /// Packets under way, in the order in which they arrive.
    sent: VecDeque<Sent>,
    sent_len: usize,
    /// `Some` if the first packet in `sent` was lost.
    lost: Option<Lost>,
    /// Bytes that have arrived and were not read, without empty entries.
    received: VecDeque<Bytes>,
    received_len: usize,
}

impl Pipe {
    pub(super) fn new(wire: Rc<Wire>, direction: usize) -> Self {
        Self {
            wire,
            direction,
            unsent: VecDeque::new(),
            unsent_len: 0,
            ending: false,
            sent: VecDeque::new(),
            sent_len: 0,
            lost: None,
            received: VecDeque::new(),
            received_len: 0,
        }
    }

    /// Returns how many bytes can be written now.
    pub(super) fn room(&self) -> usize {
        self.wire.buffer().saturating_sub(self.unsent_len + self.sent_len)
    }

    /// Returns how many bytes the other end has room for, beyond those under way to it.
    fn window(&self) -> usize {
        self.wire.buffer().saturating_sub(self.received_len + self.sent_len)
    }

    /// Takes as many bytes as there is room for, and returns their number.
    pub(super) fn write(&mut self, now: Duration, buffers: &[IoSlice<'_>]) -> usize {
        let mut room = self.room();
        let mut piece = BytesMut::new();
        for buffer in buffers {
            let len = buffer.len().min(room);
            piece.extend_from_slice(&buffer[..len]);
            room -= len;
        }
        let len = piece.len();
        if len > 0 {
            self.unsent.push_back(piece.freeze());
            self.unsent_len += len;
            self.send_unsent(now);
        }
        len
    }

    /// Ends the stream after all bytes that were written.
    pub(super) fn end(&mut self, now: Duration) {
        self.ending = true;
        self.send_unsent(now);
    }

    /// Drops what has not left yet, and sends that the connection is over.
    pub(super) fn reset(&mut self, now: Duration) {
        self.unsent.clear();
        (self.unsent_len, self.ending) = (0, false);
        self.send(now, Packet::Reset);
    }

    /// Drops everything that is to arrive.
    pub(super) fn give_up(&mut self) {
        self.unsent.clear();
        self.sent.clear();
        (self.unsent_len, self.sent_len, self.ending, self.lost) = (0, 0, false, None);
    }

    /// Sends as many bytes as the other end has room for.
    fn send_unsent(&mut self, ready: Duration) {
        loop {
            let len = self.window().min(self.wire.packet());
            let Some(first) = self.unsent.front_mut() else { break };
            let len = len.min(first.len());
            if len == 0 {
                return;
            }
            let piece = first.split_to(len);
            if first.is_empty() {
                self.unsent.pop_front();
            }
            self.unsent_len -= len;
            self.send(ready, Packet::Data(piece));
        }
        if std::mem::take(&mut self.ending) {
            self.send(ready, Packet::End);
        }
    }

    pub(super) fn send(&mut self, ready: Duration, packet: Packet) {
        let len = packet.len();
        // Packets stay in order even if the latency is reduced.
        let last = self.sent.back().map_or(Duration::ZERO, |last| last.arrives);
        let arrives = self.wire.carry(self.direction, ready, len).max(last).min(END);
        self.sent_len += len;
        self.sent.push_back(Sent { at: ready, arrives, packet });
    }

    /// Returns when something is next due for what is under way.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let first = self.sent.front()?;
        Some(self.lost.as_ref().map_or(first.arrives, |lost| lost.next))
    }

    /// Does what is due at `now`.
    pub(super) fn due(&mut self, now: Duration) -> Due {
        let Some(first) = self.sent.front() else { return Due::Later };
        if self.next_due().is_some_and(|due| due > now) {
            return Due::Later;
        }
        if self.wire.state() == State::Unreachable && matches!(first.packet, Packet::Connect) {
            return Due::Unreachable;
        }
        let retries = if first.packet.connects() { &CONNECTING } else { &CONNECTED };
        match (&mut self.lost, self.wire.state()) {
            (None, State::Up) => return Due::Arrived(self.take_arrived(now)),
            (None, _) => self.lose_first(now),
            (Some(_), State::Up) => {
                self.lost = None;
                let packets: Vec<_> = self.sent.drain(..).map(|sent| sent.packet).collect();
                self.sent_len = 0;
                packets.into_iter().for_each(|packet| self.send(now, packet));
            }
            (Some(lost), _) if lost.retries == retries.count => return Due::GivenUp,
            (Some(lost), _) => {
                lost.retries += 1;
                lost.next = lost.next.saturating_add(retries.wait(lost.retries)).min(END);
            }
        }
        Due::Later
    }

    fn lose_first(&mut self, now: Duration) {
        let Some(first) = self.sent.front() else { return };
        let retries = if first.packet.connects() { &CONNECTING } else { &CONNECTED };
        let next = first.at.saturating_add(retries.wait(0)).max(now).min(END);
        self.lost = Some(Lost { retries: 0, next });
    }

    fn take_arrived(&mut self, now: Duration) -> Vec<Packet> {
        let count = self.sent.iter().take_while(|sent| sent.arrives <= now).count();
        let arrived: Vec<_> = self.sent.drain(..count).map(|sent| sent.packet).collect();
        self.sent_len -= arrived.iter().map(Packet::len).sum::<usize>();
        arrived
    }

    /// Takes back a request to connect that has arrived, since the other end has no room; it will be repeated.
    pub(super) fn turn_away(&mut self, now: Duration) {
        self.sent.push_front(Sent { at: now, arrives: now, packet: Packet::Connect });
        self.lose_first(now);
    }

    /// Keeps bytes that have arrived until they are read.
    pub(super) fn receive(&mut self, bytes: Bytes) {
        self.received_len += bytes.len();
        self.received.push_back(bytes);
    }

    pub(super) fn has_received(&self) -> bool {
        self.received_len > 0
    }

    /// Drops bytes that have arrived.
    pub(super) fn forget_received(&mut self) {
        self.received.clear();
        self.received_len = 0;
    }

    /// Reads bytes that have arrived. The other end sends more once it knows of the room, if that is worth a packet.
    pub(super) fn read(&mut self, now: Duration, buffer: &mut [u8]) -> usize {
        let (most, pieces) = match self.wire.split() {
            Split::Merged => (buffer.len(), usize::MAX),
            Split::AsWritten => (buffer.len(), 1),
            Split::AtMost(most) => (buffer.len().min(most), usize::MAX),
        };
        let mut read = 0;
        for _ in 0..pieces {
            let Some(first) = self.received.front_mut().filter(|_| read < most) else { break };
            let len = first.len().min(most - read);
            first.copy_to_slice(&mut buffer[read..read + len]);
            read += len;
            if first.is_empty() {
                self.received.pop_front();
            }
        }
        self.received_len -= read;
        if self.window() >= (self.wire.buffer() / 2).clamp(1, 1460) {
            self.send_unsent(now.saturating_add(self.wire.latency()));
        }
        read
    }
}

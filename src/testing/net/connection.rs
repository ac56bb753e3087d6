//! [`Connection`]: a connection of two sockets, as the kernels of both hosts see it. The order of events at its ends, and
//! their errors, are those of Linux over loopback.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::ready::{Run, Withdraw};

use super::errno::Errno;
use super::listener::Listening;
use super::network::{Host, Network};
use super::pipe::{Due, Packet, Pipe};
use crate::ioloop::readiness::{Readiness, CLOSED, READ, WRITE};
use crate::ioloop::Timeout;
use crate::net::network::Socket;

/// The index of an end.
type Side = usize;
const CLIENT: Side = 0;
const SERVER: Side = 1;

pub(super) struct Connection {
    /// The number of the connection in the network.
    number: u64,
    network: Rc<Network>,
    ends: [End; 2],
    this: Weak<Self>,
}

/// One end of a connection, with what it sends.
struct End {
    host: Rc<Host>,
    address: SocketAddr,
    readiness: Rc<Readiness>,
    pipe: RefCell<Pipe>,
    /// The timer that delivers what is under way, and its deadline.
    delivery: Cell<Option<(Duration, Timeout)>>,
    life: Cell<Life>,
    /// An error that the next operation reports, once.
    error: Cell<Option<Errno>>,
    /// `true` if the other end sends no more.
    ended: Cell<bool>,
    shut_for_reading: Cell<bool>,
    shut_for_writing: Cell<bool>,
    /// `true` if a write waits for room.
    waits_for_room: Cell<bool>,
    /// `true` if closing the socket resets the connection.
    resets: Cell<bool>,
    /// `true` if the socket is closed.
    closed: Cell<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Connecting,
    Connected,
    /// The connection was reset or has failed.
    Over,
}

/// Sockets to be notified once nothing is borrowed.
#[derive(Default)]
struct News {
    bits: [u8; 2],
    listening: Option<Rc<Listening>>,
}

impl Connection {
    /// Begins to connect `client`, at `from`, to `server`, which listens at `to`.
    pub(super) fn begin(
        network: &Rc<Network>,
        (client, from): (&Rc<Host>, SocketAddr),
        (server, to): (&Rc<Host>, SocketAddr),
    ) -> Box<dyn Socket> {
        let wire = network.wire(client.id, server.id);
        let end = |host: &Rc<Host>, address, direction, life| End {
            host: host.clone(),
            address,
            // With `CLOSED`, a socket is read until it would block: a short read may be one half of a split one.
            readiness: Readiness::new(if life == Life::Connected { READ | WRITE | CLOSED } else { CLOSED }),
            pipe: RefCell::new(Pipe::new(wire.clone(), direction)),
            delivery: Cell::default(),
            life: Cell::new(life),
            error: Cell::default(),
            ended: Cell::default(),
            shut_for_reading: Cell::default(),
            shut_for_writing: Cell::default(),
            waits_for_room: Cell::default(),
            resets: Cell::default(),
            closed: Cell::default(),
        };
        let direction = usize::from(client.id > server.id);
        let connection = Rc::new_cyclic(|this| Self {
            number: network.next_connection(),
            network: network.clone(),
            ends: [
                end(client, from, direction, Life::Connecting),
                end(server, to, 1 - direction, Life::Connected),
            ],
            this: this.clone(),
        });
        connection.ends[CLIENT].pipe.borrow_mut().send(network.now(), Packet::Connect);
        connection.schedule(CLIENT);
        Box::new(Half { connection, side: CLIENT })
    }

    /// Sets a timer that delivers what `side` sends, when that is due.
    fn schedule(&self, side: Side) {
        let end = &self.ends[side];
        let due = end.pipe.borrow().next_due();
        let scheduled = end.delivery.take();
        if scheduled.as_ref().map(|(when, _)| *when) == due {
            return end.delivery.set(scheduled);
        }
        let Some(io_loop) = self.network.io_loop() else { return };
        if let Some((_, timeout)) = scheduled {
            io_loop.remove_timeout(&timeout);
        }
        if let Some(when) = due {
            let delivery = Rc::new(Delivery { connection: self.this.clone(), side });
            let timeout = io_loop.add_timer_of(Location::caller(), when.max(io_loop.time()), delivery);
            end.delivery.set(Some((when, timeout)));
        }
    }

    /// Delivers what `side` has sent and is due.
    fn deliver(&self, side: Side) {
        let end = &self.ends[side];
        end.delivery.take();
        let mut news = News::default();
        let due = end.pipe.borrow_mut().due(self.network.now());
        match due {
            Due::Later => {}
            Due::Arrived(packets) => packets.into_iter().for_each(|it| self.arrive(side, it, &mut news)),
            Due::GivenUp => {
                self.fail(side, Errno::TimedOut, &mut news);
                // The request to connect has arrived, but the client would have repeated it for as long.
                if self.ends[1 - side].life.get() == Life::Connecting {
                    self.fail(1 - side, Errno::TimedOut, &mut news);
                }
            }
            Due::Unreachable => self.fail(side, Errno::HostUnreachable, &mut news),
        }
        // A write that waits gets the room of the bytes that have arrived.
        if end.waits_for_room.get() && end.pipe.borrow().room() > 0 {
            end.waits_for_room.set(false);
            news.bits[side] |= WRITE;
        }
        if let Some(listening) = news.listening {
            listening.tell();
        }
        for (end, bits) in self.ends.iter().zip(news.bits) {
            if bits != 0 && !end.closed.get() {
                end.readiness.set(bits);
            }
        }
        self.schedule(CLIENT);
        self.schedule(SERVER);
    }

    /// Handles a packet of `side` that arrives at the other end.
    fn arrive(&self, side: Side, packet: Packet, news: &mut News) {
        let (other, now) = (1 - side, self.network.now());
        let (from, to) = (&self.ends[side], &self.ends[other]);
        match packet {
            Packet::Connect => match to.host.listening(to.address) {
                Some(listening) if listening.is_full() => from.pipe.borrow_mut().turn_away(now),
                Some(listening) => {
                    let connection = self.this.upgrade().expect("it is being used");
                    listening.add(Box::new(Half { connection, side: other }), from.address);
                    to.pipe.borrow_mut().send(now, Packet::Accepted);
                    news.listening = Some(listening);
                }
                None => {
                    to.life.set(Life::Over);
                    to.pipe.borrow_mut().send(now, Packet::Refused);
                }
            },
            Packet::Accepted => {
                to.life.set(Life::Connected);
                news.bits[other] |= READ | WRITE;
                if to.closed.get() {
                    self.refuse(other);
                }
            }
            Packet::Refused => self.fail(other, Errno::Refused, news),
            Packet::Data(_) if to.closed.get() || to.life.get() == Life::Over => self.refuse(other),
            Packet::Data(bytes) => {
                from.pipe.borrow_mut().receive(bytes);
                news.bits[other] |= READ;
            }
            Packet::End => {
                to.ended.set(true);
                news.bits[other] |= READ;
            }
            // Source: Linux, `tcp_reset`.
            Packet::Reset if to.ended.get() => self.fail(other, Errno::BrokenPipe, news),
            Packet::Reset => self.fail(other, Errno::Reset, news),
        }
    }

    /// Answers on behalf of `side` that there is no such connection.
    fn refuse(&self, side: Side) {
        let end = &self.ends[side];
        end.life.set(Life::Over);
        let pipe = &mut *end.pipe.borrow_mut();
        pipe.give_up();
        pipe.send(self.network.now(), Packet::Reset);
    }

    /// Ends the connection for `side`. Bytes that have arrived there can still be read.
    fn fail(&self, side: Side, errno: Errno, news: &mut News) {
        let end = &self.ends[side];
        if end.life.replace(Life::Over) != Life::Over {
            end.error.set(Some(errno));
        }
        end.pipe.borrow_mut().give_up();
        news.bits[side] |= READ | WRITE;
    }
}

/// The timer that delivers what one end sends.
struct Delivery {
    connection: Weak<Connection>,
    side: Side,
}

impl Run for Delivery {
    fn run(self: Rc<Self>) {
        if let Some(connection) = self.connection.upgrade() {
            connection.deliver(self.side);
        }
    }

    /// Names the delivery `client->server#1`: deliveries of different connections or directions have no order.
    fn choice(&self) -> Option<(Cow<'static, str>, u64)> {
        let connection = self.connection.upgrade()?;
        let [from, to] = [self.side, 1 - self.side].map(|side| connection.ends[side].host.name.clone());
        Some((format!("{from}->{to}").into(), connection.number))
    }
}

impl Withdraw for Delivery {}

/// Cancels deliveries, since both sockets are gone.
impl Drop for Connection {
    fn drop(&mut self) {
        for end in &self.ends {
            if let (Some((_, timeout)), Some(io_loop)) = (end.delivery.take(), self.network.io_loop()) {
                io_loop.remove_timeout(&timeout);
            }
        }
    }
}

/// The socket at one end of a connection.
struct Half {
    connection: Rc<Connection>,
    side: Side,
}

impl Half {
    fn end(&self) -> &End {
        &self.connection.ends[self.side]
    }

    fn peer(&self) -> &End {
        &self.connection.ends[1 - self.side]
    }

    fn now(&self) -> Duration {
        self.connection.network.now()
    }
}

impl Socket for Half {
    fn readiness(&self) -> &Rc<Readiness> {
        &self.end().readiness
    }

    fn connected(&self) -> io::Result<()> {
        let end = self.end();
        match (end.life.get(), end.error.take()) {
            (_, Some(errno)) => Err(errno.into()),
            (Life::Connecting, None) => Err(io::ErrorKind::WouldBlock.into()),
            (Life::Connected, None) => Ok(()),
            (Life::Over, None) => Err(Errno::NotConnected.into()),
        }
    }

    /// Returns first the bytes that have arrived, then their end, then an error, once. Source: Linux, `tcp_recvmsg`.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (end, peer) = (self.end(), self.peer());
        if end.life.get() == Life::Connecting {
            return Err(Errno::NotConnected.into());
        }
        let has_received = peer.pipe.borrow().has_received();
        if has_received && !buffer.is_empty() {
            let read = peer.pipe.borrow_mut().read(self.now(), buffer);
            self.connection.schedule(1 - self.side);
            return Ok(read);
        }
        if end.ended.get() || buffer.is_empty() {
            return Ok(0);
        }
        match end.error.take() {
            Some(errno) => Err(errno.into()),
            None if end.life.get() == Life::Over || end.shut_for_reading.get() => Ok(0),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn write(&self, buffer: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buffer)])
    }

    fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let end = self.end();
        if let Some(errno) = end.error.take() {
            return Err(errno.into());
        }
        match end.life.get() {
            Life::Connecting => return Err(io::ErrorKind::WouldBlock.into()),
            Life::Over => return Err(Errno::BrokenPipe.into()),
            Life::Connected if end.shut_for_writing.get() => return Err(Errno::BrokenPipe.into()),
            Life::Connected => {}
        }
        if buffers.iter().all(|buffer| buffer.is_empty()) {
            return Ok(0);
        }
        let written = end.pipe.borrow_mut().write(self.now(), buffers);
        if written == 0 {
            end.waits_for_room.set(true);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.connection.schedule(self.side);
        Ok(written)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let end = self.end();
        if end.life.get() != Life::Connected {
            return Err(Errno::NotConnected.into());
        }
        if how != Shutdown::Write {
            end.shut_for_reading.set(true);
        }
        if how != Shutdown::Read && !end.shut_for_writing.replace(true) {
            end.pipe.borrow_mut().end(self.now());
            self.connection.schedule(self.side);
        }
        Ok(())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.end().address)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self.end().life.get() {
            Life::Connected => Ok(self.peer().address),
            Life::Connecting | Life::Over => Err(Errno::NotConnected.into()),
        }
    }

    fn peer_name(&self) -> String {
        let peer = self.peer();
        format!("{}:{}", peer.host.name, peer.address.port())
    }

    fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.end().resets.set(linger == Some(Duration::ZERO));
        Ok(())
    }
}

/// Closes the socket. Unread bytes reset the connection. Source: Linux, `tcp_close`.
impl Drop for Half {
    fn drop(&mut self) {
        let (end, now) = (self.end(), self.now());
        end.closed.set(true);
        let unread = self.peer().pipe.borrow().has_received();
        self.peer().pipe.borrow_mut().forget_received();
        match end.life.get() {
            Life::Connecting => end.pipe.borrow_mut().give_up(),
            Life::Connected if unread || end.resets.get() => {
                end.life.set(Life::Over);
                end.pipe.borrow_mut().reset(now);
            }
            Life::Connected if !end.shut_for_writing.replace(true) => end.pipe.borrow_mut().end(now),
            Life::Connected | Life::Over => {}
        }
        self.connection.schedule(self.side);
    }
}

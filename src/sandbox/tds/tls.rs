//! TLS as TDS 7 carries it: the handshake inside prelogin packets, then bare records.
//!
//! Does not know when a connection is encrypted; `prelogin` does.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::packet::{DEFAULT_BYTES, HEADER_BYTES, packets, types};

/// Speaks TLS with a client that is about to.
pub(super) async fn accept<S>(acceptor: &TlsAcceptor, stream: S) -> io::Result<TlsStream<Wrapped<S>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut tls = acceptor.accept(Wrapped::new(stream)).await?;
    tls.get_mut().0.bare = true;
    Ok(tls)
}

/// A stream whose bytes travel in prelogin packets until the handshake is over.
#[derive(Debug)]
pub(super) struct Wrapped<S> {
    inner: S,
    /// The handshake is over.
    bare: bool,
    /// Header of the packet being read, so far.
    header: Vec<u8>,
    /// Payload of that packet not yet read.
    payload_left: usize,
    /// Written and not yet flushed.
    written: Vec<u8>,
    /// Packets on their way out.
    leaving: Vec<u8>,
}

impl<S> Wrapped<S> {
    fn new(inner: S) -> Self {
        Self {
            inner,
            bare: false,
            header: Vec::new(),
            payload_left: 0,
            written: Vec::new(),
            leaving: Vec::new(),
        }
    }

    /// The stream below, for when encryption ends with the login.
    pub(super) fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> Wrapped<S> {
    /// Reads the next packet's header; `false` at a clean end.
    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.header.len() < HEADER_BYTES {
            let mut bytes = [0; HEADER_BYTES];
            let mut rest = ReadBuf::new(&mut bytes[..HEADER_BYTES - self.header.len()]);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut rest))?;
            if rest.filled().is_empty() {
                return Poll::Ready(Ok(false));
            }
            self.header.extend_from_slice(rest.filled());
        }
        let length = match *self.header {
            [types::PRELOGIN, _, high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
            _ => 0,
        };
        self.header.clear();
        match length.checked_sub(HEADER_BYTES) {
            Some(payload) => {
                self.payload_left = payload;
                Poll::Ready(Ok(true))
            }
            None => Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "no TLS handshake packet"))),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wrapped<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.bare {
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        while this.payload_left == 0 {
            if !ready!(this.poll_header(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
        // never beyond the packet: what follows the last one is no longer wrapped
        let mut bytes = vec![0; this.payload_left.min(buf.remaining())];
        let mut part = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
        this.payload_left -= part.filled().len();
        buf.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wrapped<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.bare {
            return Pin::new(&mut this.inner).poll_write(cx, buf);
        }
        this.written.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.written.is_empty() {
            this.leaving.extend(packets(types::PRELOGIN, 0, DEFAULT_BYTES, &this.written));
            this.written.clear();
        }
        while !this.leaving.is_empty() {
            let count = ready!(Pin::new(&mut this.inner).poll_write(cx, &this.leaving))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            this.leaving.drain(..count);
        }
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_is_written_leaves_as_one_message_when_flushed() {
        let (near, mut far) = duplex(1 << 16);
        let mut wrapped = Wrapped::new(near);
        wrapped.write_all(&[1, 2]).await.unwrap();
        wrapped.write_all(&[3]).await.unwrap();
        wrapped.flush().await.unwrap();
        let mut packet = [0; 11];
        far.read_exact(&mut packet).await.unwrap();
        assert_eq!(packet, [0x12, 1, 0, 11, 0, 0, 1, 0, 1, 2, 3]);
    }

    #[tokio::test]
    async fn reading_stops_at_the_end_of_the_packets() {
        let (near, mut far) = duplex(1 << 16);
        far.write_all(&[0x12, 0, 0, 10, 0, 0, 1, 0, 1, 2, 0x12, 1, 0, 9, 0, 0, 2, 0, 3]).await.unwrap();
        far.write_all(&[0x17, 3, 3]).await.unwrap();
        let mut wrapped = Wrapped::new(near);
        let mut handshake = [0; 3];
        wrapped.read_exact(&mut handshake).await.unwrap();
        assert_eq!(handshake, [1, 2, 3]);
        wrapped.bare = true;
        let mut record = [0; 3];
        wrapped.read_exact(&mut record).await.unwrap();
        assert_eq!(record, [0x17, 3, 3]);
    }

    #[tokio::test]
    async fn another_packet_during_the_handshake_is_refused() {
        for packet in [[0x10, 1, 0, 9, 0, 0, 1, 0], [0x12, 1, 0, 7, 0, 0, 1, 0]] {
            let (near, mut far) = duplex(100);
            far.write_all(&packet).await.unwrap();
            let error = Wrapped::new(near).read_u8().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}

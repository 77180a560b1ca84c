import Logging
import NIOCore
import Session

/// Reading from and writing to the client, with back-pressure.
extension ClientHandler {
    /// Back-pressure: the client is read while it takes responses, the session accepts input, and
    /// the server that the input goes to takes octets.
    var wantsOctets: Bool {
        self.isWritable && self.session.read { $0.wantsClientOctets } && self.takesClientOctets
    }

    /// Resumes reads that back-pressure held back, of the servers and of the client.
    func resumeReading() {
        self.resumeReadingUpstream()
        guard self.hasPendingRead, self.wantsOctets else { return }
        self.hasPendingRead = false
        self.context?.read()
    }

    /// A server takes octets again.
    func upstreamWritabilityChanged() {
        self.resumeReading()
    }

    /// Buffers octets for the client until the next flush, or while their records are not on the
    /// disk.
    func write(_ octets: ByteBuffer) {
        guard self.gate.isOpen else { return self.gate.hold(octets) }
        self.context?.write(self.wrapOutboundOut(octets), promise: nil)
        self.flushLater(octets.readableBytes)
    }

    /// Schedules a flush for when all input of this round is processed.
    /// - Parameter octets: how many octets were written.
    func flushLater(_ octets: Int) {
        self.unflushedOctets += octets
        guard !self.needsFlush, self.context != nil else { return }
        self.needsFlush = true
        self.sessions.flushLater(self, on: self.eventLoop)
    }

    /// Flushes buffered octets to the client and to the servers.
    func flush() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.unflushedOctets = 0
        self.context?.flush()
        self.flushUpstream()
    }

    /// Flushes many buffered octets at once.
    func flushManyOctets() {
        if self.unflushedOctets >= Self.maximumUnflushedOctets { self.flush() }
    }

    /// Flushes the unencrypted response, then adds TLS. Closes the connection if that fails.
    func startTLS() {
        guard let context = self.context else { return }
        // Nothing is recorded as allowed before STARTTLS.
        guard self.gate.isOpen else { return context.close(promise: nil) }
        self.flush()
        do {
            try ServerTLS.add(to: context, kind: self.security, gateway: self.gateway)
        } catch {
            self.gateway.logger.error(
                "STARTTLS failed",
                metadata: ["error": "\(ConnectionFailure(error).reason)"]
            )
            context.close(promise: nil)
        }
    }

    /// Flushes the last response and closes the connection, once all records are on the disk.
    func closeClient() {
        guard self.gate.isOpen else {
            self.gate.closes = true
            return
        }
        self.flush()
        self.context?.close(promise: nil)
    }
}

import Logging
import NIOCore
import Session

/// Octets from and to the client, with back-pressure.
extension ClientHandler {
    /// Octets are wanted while the client takes the answers, the session can take them, and the server that they go to
    /// takes what came before.
    var wantsOctets: Bool {
        self.isWritable && self.session.wantsClientOctets && self.takesClientOctets
    }

    func resumeReading() {
        self.resumeReadingUpstream()
        guard self.hasPendingRead, self.wantsOctets else { return }
        self.hasPendingRead = false
        self.context?.read()
    }

    func upstreamWritabilityChanged() {
        self.resumeReading()
    }

    func write(_ octets: ByteBuffer) {
        self.context?.write(self.wrapOutboundOut(octets), promise: nil)
        self.flushLater()
    }

    func flushLater() {
        guard !self.needsFlush, self.context != nil else { return }
        self.needsFlush = true
        self.sessions.flushLater(self, on: self.eventLoop)
    }

    func flush() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.context?.flush()
        self.flushUpstream()
    }

    func startTLS() {
        guard let context = self.context else { return }
        self.flush()
        do {
            try ServerTLS.add(to: context, self.security, gateway: self.gateway)
        } catch {
            self.gateway.logger.error(
                "STARTTLS failed",
                metadata: ["error": "\(ConnectionFailure(error).reason)"]
            )
            context.close(promise: nil)
        }
    }

    func closeClient() {
        self.flush()
        self.context?.close(promise: nil)
    }
}

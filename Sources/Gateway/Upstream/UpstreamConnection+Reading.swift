import NIOCore
import Session

/// When a mail server is read.
extension UpstreamConnection: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    /// Whoever does not take what a server sends stops the server from being read.
    func read(context: ChannelHandlerContext) {
        if case .ready = self.phase, let client = self.client,
            !client.wantsOctets(from: self.account)
        {
            self.hasPendingRead = true
            self.clock.readingStopped()
        } else {
            context.read()
        }
    }

    func resumeReading() {
        guard self.hasPendingRead, self.client?.wantsOctets(from: self.account) ?? true else {
            return
        }
        self.hasPendingRead = false
        self.clock.readingResumed()
        self.channel?.read()
    }
}

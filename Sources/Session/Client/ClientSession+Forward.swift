import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Commands that one account's server executes.
extension ClientSession {
    /// Sends a command to an account's server and makes it the running command.
    ///
    /// - Parameters:
    ///   - configure: sets what the answer needs besides the tag.
    ///   - encode: writes the command without its tag.
    mutating func forward(
        _ tagged: TaggedCommand,
        to account: AccountID,
        configure: (Forwarding) -> Void = { _ in },
        encode: (inout CommandEncoder) -> Void
    ) {
        var encoder = self.encoder(for: account)
        encode(&encoder)
        var segments = encoder.finish()
        guard !segments.isEmpty else { return self.finish(tagged.tag, text: .unavailable) }
        let first = segments.removeFirst()
        let forwarding = Forwarding(tagged, to: account, segments: segments)
        configure(forwarding)
        if forwarding.isUpdating { forwarding.updatingTag = self.upstreams[account]?.inFlight }
        self.running = .forwarding(forwarding)
        self.actions.append(.toUpstream(account, first))
    }
}

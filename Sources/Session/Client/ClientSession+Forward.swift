import Access
import IMAP

import struct NIOCore.ByteBuffer

extension ClientSession {
    /// Sends a command without arguments.
    mutating func forward(_ tag: ByteBuffer, account: AccountID, name: StaticString) {
        var encoder = self.encoder(for: account)
        encoder.write(word: name)
        self.forward(tag, account: account, name: StaticText(stringLiteral: name), encoder: encoder)
    }

    /// Sends an encoded command.
    mutating func forward(
        _ tag: ByteBuffer,
        account: AccountID,
        name: StaticText,
        encoder: CommandEncoder,
        configure: (Forwarding) -> Void = { _ in }
    ) {
        var encoder = encoder
        var segments = encoder.finish()
        guard !segments.isEmpty else { return self.finish(tag, text: .unavailable) }
        let first = segments.removeFirst()
        let forwarding = Forwarding(tag: tag, account: account, name: name, segments: segments)
        forwarding.enablesModSeqs = self.commandEnablesModSeqs
        configure(forwarding)
        self.running = .forwarding(forwarding)
        self.actions.append(.toUpstream(account, first))
    }
}

import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The messages to transfer, as the source lists them.
extension Transferring {
    /// Whether the source told of a message that is meant, and not all that was asked. To leave it out
    /// would be to say that it is not there.
    var lacksMessages: Bool { !self.partlyListed.isSubset(of: self.listed) }

    /// Takes that the source told a part of what was asked of a message, or news of it.
    func addPart(of fetched: FetchResponse) {
        let number = self.copy.isUID ? fetched.uid : fetched.number
        guard let number, self.copy.set.surelyContains(number),
            self.partlyListed.count <= Self.maximumMessages
        else { return }
        self.partlyListed.insert(fetched.number)
    }

    /// Takes a message that the source tells of, once.
    func add(_ number: UInt32, uid: UInt32, flags: [Flag], date: ByteBuffer) {
        if self.listed.count <= Self.maximumMessages { self.listed.insert(number) }
        guard self.messages.count <= Self.maximumMessages, self.known.insert(uid).inserted else {
            return
        }
        if flags.contains(.deleted) { self.wasDeleted.insert(uid) }
        // Octets of their own: a slice would keep the whole response.
        let flags = flags.prefix(Self.maximumFlags).map { flag in
            guard case .keyword(let name) = flag else { return flag }
            self.flagOctets += min(name.readableBytes, Self.maximumFlagOctets)
            return .keyword(
                ByteBuffer(bytes: name.readableBytesView.prefix(Self.maximumFlagOctets))
            )
        }
        self.messages.append(
            Message(
                uid: uid,
                flags: self.flagOctets > Self.maximumKeywordOctets ? [] : flags,
                date: ByteBuffer(bytes: date.readableBytesView.prefix(Self.maximumDateOctets))
            )
        )
    }

    /// The flags of a message that the user may set and the target keeps (RFC 4314 §4).
    func flags(of message: Message) -> [Flag] {
        Flags.permitted(message.flags, rights: self.rights).filter { flag in
            guard let kept = self.permanentFlags else { return true }
            if case .keyword = flag, kept.contains("\\*") { return true }
            return kept.contains(flag.text.uppercasedText())
        }
    }

    /// All octets of the present message have passed.
    func messagePassed() {
        let message = self.messages[self.index]
        self.sending.append(
            Transfer.Message(
                source: message.uid,
                octets: self.hasher.octets,
                date: message.date.flatMap(DateTime.init)?.seconds ?? 0,
                digest: self.hasher.digest
            )
        )
        self.index += 1
    }
}

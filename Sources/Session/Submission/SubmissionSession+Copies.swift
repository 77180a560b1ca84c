package import Access
import SMTP

import struct NIOCore.ByteBuffer

/// The copy of a message for Sent folders. It is on the disk before the end of the message is sent to the server, and
/// marked as sent before the client gets a reply.
extension SubmissionSession {
    /// The copy of a message is on the disk, or this failed. Then the message is not sent if one of its accounts
    /// requires the copy; otherwise it is sent without a copy.
    ///
    /// - Parameters:
    ///   - number: the number of the copy's transaction; a call for an earlier one is ignored.
    ///   - isShared: whether the copy survives the loss of this machine, if others do the same work. Without that, a
    ///     message whose copy is required is not sent either.
    package mutating func copyKept(
        _ number: UInt64,
        succeeded: Bool,
        isShared: Bool = true,
        at now: Moment
    ) {
        self.now = now
        guard case .receiving(let receiving) = self.running, number == self.transactions,
            case .keepingCopy = receiving.stage
        else { return }
        self.checkTransaction()
        if receiving.isRefused { return self.readClient() }
        guard succeeded && isShared || !receiving.requiresCopies else {
            self.refuseMessage(receiving, reply: .noRoomForCopy)
            return self.readClient()
        }
        if !succeeded {
            receiving.missingCopies = receiving.copies
            self.dropCopy(receiving)
        }
        self.completeMessage(receiving)
        self.readClient()
    }

    /// Reserves space for the copies of a message.
    ///
    /// - Returns: false if there is no space; the message is refused before the server gets any of it.
    mutating func reserveCopies(_ receiving: Receiving) -> Bool {
        guard !receiving.copies.isEmpty, !self.copySpace.begin(receiving.copies) else {
            return true
        }
        receiving.copies = []
        self.refuseMessage(receiving, reply: .noRoomForCopy)
        return false
    }

    /// Appends octets of the message to its copy.
    ///
    /// - Returns: false if there is no space for them; the message is refused then.
    mutating func keepCopy(_ octets: ByteBuffer, receiving: Receiving) -> Bool {
        guard !receiving.copies.isEmpty else { return true }
        guard self.copySpace.extend(receiving.copies, by: octets.readableBytes) else {
            self.refuseMessage(receiving, reply: .noRoomForCopy)
            return false
        }
        receiving.copyOctets += UInt64(octets.readableBytes)
        self.actions.append(.keepCopy(octets))
        return true
    }

    /// Writes the copy to the disk before the end of the message is sent. So a crash after the server's reply loses no
    /// copy.
    mutating func syncCopy(_ receiving: Receiving) {
        receiving.stage = .keepingCopy
        let own = receiving.copies.filter { self.snapshot.accounts[$0]?.owner == self.user }
        self.actions.append(
            .syncCopy(
                self.transactions,
                receiving.copies,
                own: Set(own),
                messageID: receiving.messageID
            )
        )
    }

    /// Marks the copy of a sent message as sent. The client gets its reply afterwards, because a restart does not
    /// file a copy without the mark.
    mutating func fileCopy(_ receiving: Receiving, reply: SubmissionReply) {
        receiving.stage = .filingCopy(reply)
        self.actions.append(.fileCopy(self.transactions))
        receiving.copies = []
    }

    /// The copy of a sent message is marked as sent, or this failed. In both cases the client gets its reply.
    ///
    /// - Parameter number: the number of the copy's transaction; a call for an earlier one is ignored.
    package mutating func copyFiled(_ number: UInt64, at now: Moment) {
        self.now = now
        guard case .receiving(let receiving) = self.running, number == self.transactions,
            case .filingCopy(let reply) = receiving.stage
        else { return }
        self.messageEnded(reply)
        self.readClient()
    }

    /// Discards the copy of a message that is not sent, and releases its space.
    mutating func dropCopy(_ receiving: Receiving) {
        guard !receiving.copies.isEmpty else { return }
        self.actions.append(.dropCopy)
        for account in receiving.copies {
            self.copySpace.end(account, octets: receiving.copyOctets)
        }
        receiving.copies = []
    }
}

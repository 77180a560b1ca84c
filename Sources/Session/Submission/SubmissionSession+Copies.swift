package import Access
import SMTP

import struct NIOCore.ByteBuffer

/// The copy of a message for Sent folders: on the disk before the message's end is sent, and under its name before the
/// client is answered.
extension SubmissionSession {
    /// The copy of a message is on the disk, or cannot be: then the message is not sent.
    /// - Parameter number: of the transaction whose copy it is.
    package mutating func copyKept(_ number: UInt64, succeeded: Bool, at now: Moment) {
        self.now = now
        guard case .receiving(let receiving) = self.running, number == self.transactions,
            case .keepingCopy = receiving.stage
        else { return }
        self.checkTransaction()
        if receiving.isRefused { return self.readClient() }
        if succeeded {
            self.completeMessage(receiving)
        } else {
            self.refuseMessage(receiving, reply: .noRoomForCopy)
        }
        self.readClient()
    }

    /// A message whose copy has no room is refused before its server hears of it.
    mutating func reserveCopies(_ receiving: Receiving) -> Bool {
        guard !receiving.copies.isEmpty, !self.copySpace.begin(receiving.copies) else {
            return true
        }
        receiving.copies = []
        self.refuseMessage(receiving, reply: .noRoomForCopy)
        return false
    }

    /// - Returns: false where the message is refused, because its copy has grown beyond the room.
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

    /// The client is answered when the copy has its name: until then a restart deletes it.
    mutating func fileCopy(_ receiving: Receiving, reply: SubmissionReply) {
        receiving.stage = .filingCopy(reply)
        let own = receiving.copies.filter { self.snapshot.accounts[$0]?.owner == self.user }
        self.actions.append(
            .fileCopy(
                self.transactions,
                receiving.copies,
                own: Set(own),
                messageID: receiving.messageID
            )
        )
        receiving.copies = []
    }

    /// The copy of a message that went out has its name on the disk, or cannot have it: the client is answered.
    /// - Parameter number: of the transaction whose copy it is.
    package mutating func copyFiled(_ number: UInt64, at now: Moment) {
        self.now = now
        guard case .receiving(let receiving) = self.running, number == self.transactions,
            case .filingCopy(let reply) = receiving.stage
        else { return }
        self.messageEnded(reply)
        self.readClient()
    }

    /// What was kept of a message that is not sent is thrown away.
    mutating func dropCopy(_ receiving: Receiving) {
        guard !receiving.copies.isEmpty else { return }
        self.actions.append(.dropCopy)
        for account in receiving.copies {
            self.copySpace.end(account, octets: receiving.copyOctets)
        }
        receiving.copies = []
    }
}

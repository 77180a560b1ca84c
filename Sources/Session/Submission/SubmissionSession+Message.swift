import Access
import SMTP

import struct NIOCore.ByteBuffer

/// Message data: buffered until the permission check of the header, then streamed (RFC 5321 §4.1.1.4, RFC 3030).
extension SubmissionSession {
    /// Executes DATA.
    mutating func data() {
        self.checkTransaction()
        guard let transaction = self.transaction else {
            return self.refuse(self.brokenReply ?? .noSender)
        }
        guard transaction.chunks == nil else { return self.refuse(.badSequence) }
        guard !transaction.recipients.isEmpty else { return self.refuse(.noRecipients) }
        self.running = .receiving(Receiving(.dotted))
        self.reply(.startMessage)
    }

    /// Executes BDAT. The octets of a chunk are read even if the chunk is refused, so that they are never executed as
    /// commands. A chunk larger than the message limit ends the connection.
    mutating func bdat(_ count: UInt64, isLast: Bool) {
        guard count <= self.settings.maximumMessageOctets else { return self.end(.tooLarge) }
        self.checkTransaction()
        let receiving = self.transaction?.chunks ?? Receiving(.chunked)
        receiving.chunk = (count, isLast)
        self.running = .receiving(receiving)
        if self.transaction == nil {
            receiving.stage = .discarding(self.brokenReply ?? .noSender)
        } else if self.transaction?.recipients.isEmpty ?? true {
            receiving.stage = .discarding(.noRecipients)
        }
        self.transaction?.chunks = receiving
        if count == 0 { self.readMessage(receiving) }
    }

    /// Reads the next piece of message data from the client's octets.
    mutating func readMessage(_ receiving: Receiving) {
        let piece: MessageStream.Piece?
        let waiting = self.input.readableBytes
        if let chunk = receiving.chunk {
            let length = Int(min(chunk.rest, UInt64(self.input.readableBytes)))
            var part =
                self.input.getSlice(at: self.input.readerIndex, length: length) ?? ByteBuffer()
            piece = receiving.stream.next(&part)
            let taken = length - part.readableBytes
            self.input.moveReaderIndex(forwardBy: taken)
            receiving.chunk?.rest -= UInt64(taken)
        } else {
            piece = receiving.stream.next(&self.input)
        }
        self.messageOctets += UInt64(waiting - self.input.readableBytes)
        switch piece {
        case .octets(let octets): self.messageOctetsReceived(octets, receiving: receiving)
        case .end: receiving.isComplete = true
        case .none: break
        }
        if receiving.stream.isBroken { self.refuseMessage(receiving, reply: .bareLineEnd) }
        self.continueMessage(receiving)
    }

    /// Takes decoded octets of the message: collects the header, or streams the body.
    private mutating func messageOctetsReceived(_ octets: ByteBuffer, receiving: Receiving) {
        guard receiving.stream.count <= self.settings.maximumMessageOctets else {
            return self.refuseMessage(receiving, reply: .tooLarge)
        }
        switch receiving.stage {
        case .header:
            do {
                guard let (header, rest) = try receiving.collector.receive(octets) else { return }
                self.judge(header, rest: rest, receiving: receiving)
            } catch {
                self.refuseMessage(receiving, reply: SubmissionReply(error))
            }
        case .streaming:
            self.forward(octets, receiving: receiving, isPiece: receiving.chunk == nil)
        case .envelope, .data, .keepingCopy, .verdict, .filingCopy, .discarding:
            break
        }
    }

    /// Ends the chunk or the message if all of its octets have arrived.
    mutating func continueMessage(_ receiving: Receiving) {
        guard case .receiving = self.running, !receiving.awaitsUpstream else { return }
        if let chunk = receiving.chunk, chunk.rest == 0 {
            guard chunk.isLast || receiving.isRefused else {
                self.running = .nothing
                return self.reply(.chunkReceived)
            }
            receiving.isComplete = true
        }
        if receiving.isComplete { self.messageCompleted(receiving) }
    }

    /// All octets of the message have arrived, or a chunk of a refused message is complete.
    private mutating func messageCompleted(_ receiving: Receiving) {
        switch receiving.stage {
        case .header:
            // The message has no empty line, so all of it is header.
            self.judge(receiving.collector.end(), rest: ByteBuffer(), receiving: receiving)
            self.continueMessage(receiving)
        case .streaming:
            self.checkTransaction()
            if !receiving.stream.isAtLineStart {
                self.refuseMessage(receiving, reply: .unfinishedLine)
            }
            guard !receiving.isRefused else { return self.continueMessage(receiving) }
            guard !receiving.copies.isEmpty else { return self.completeMessage(receiving) }
            self.syncCopy(receiving)
        case .discarding(let reply):
            let wasChunk = receiving.chunk.map { !$0.isLast } ?? false
            self.fail(reply)
            if !wasChunk { self.brokenReply = nil }
        case .envelope, .data, .keepingCopy, .verdict, .filingCopy:
            break
        }
    }

    /// Sends the end of the message. From now on the message cannot be withdrawn.
    mutating func completeMessage(_ receiving: Receiving) {
        receiving.stage = .verdict
        self.actions.append(.toUpstream(ByteBuffer(staticString: ".\r\n")))
    }

    /// Refuses the message. If the server has a part of it, the connection is closed, so that the server discards
    /// that part. The rest of the message is read and discarded before the client gets the reply.
    mutating func refuseMessage(_ receiving: Receiving, reply: SubmissionReply) {
        guard !receiving.isRefused else { return }
        if receiving.isInData {
            if case .header = receiving.stage, self.upstream != nil { self.sendsDataAhead = false }
            self.dropUpstream()
        }
        self.dropCopy(receiving)
        let waited = receiving.awaitsUpstream
        receiving.pending = []
        receiving.collector = HeaderCollector()
        receiving.stage = .discarding(reply)
        if waited { self.continueMessage(receiving) }
    }
}

package import struct NIOCore.ByteBuffer

/// `SELECT Akten (QRESYNC (67890007 20050715194045000))`; also EXAMINE (RFC 9051 §6.3.2).
package struct Select: Equatable, Sendable {
    /// The state of the mailbox that the client has cached (RFC 7162 §3.2.5).
    package struct Resync: Equatable, Sendable {
        /// The UIDVALIDITY that the client knows.
        package var uidValidity: UInt32
        /// The highest mod-sequence that the client knows.
        package var modSeq: UInt64
        /// The UIDs that the client knows.
        package var knownUIDs: SequenceSet?
        /// Message numbers of the sequence match data.
        package var knownSequences: SequenceSet?
        /// The UIDs of these message numbers.
        package var matchingUIDs: SequenceSet?
    }

    package var mailbox: ClientMailbox
    /// The parameter CONDSTORE.
    package var condStore = false
    /// The parameter QRESYNC.
    package var resync: Resync?

    /// The command for a server without mod-sequences.
    package var withoutModSeq: Select { Select(mailbox: self.mailbox) }

    package func encode(
        into encoder: inout CommandEncoder,
        mailbox: ByteBuffer,
        readOnly: Bool
    ) {
        encoder.write(word: readOnly ? "EXAMINE" : "SELECT")
        encoder.write(mailbox: mailbox)
        guard self.condStore || self.resync != nil else { return }
        encoder.open()
        if self.condStore { encoder.write(word: "CONDSTORE") }
        if let resync = self.resync { Self.encode(resync, into: &encoder) }
        encoder.close()
    }

    private static func encode(_ resync: Resync, into encoder: inout CommandEncoder) {
        encoder.write(word: "QRESYNC")
        encoder.open()
        encoder.write(number: UInt64(resync.uidValidity))
        encoder.write(number: resync.modSeq)
        resync.knownUIDs?.encode(into: &encoder)
        if let sequences = resync.knownSequences, let uids = resync.matchingUIDs {
            encoder.open()
            sequences.encode(into: &encoder)
            uids.encode(into: &encoder)
            encoder.close()
        }
        encoder.close()
    }
}

extension Cursor {
    ///     select = "SELECT" SP mailbox [SP "(" select-param *(SP select-param) ")"]
    mutating func select() throws(SyntaxError) -> Select {
        var select = Select(mailbox: try self.mailbox())
        if self.takeBlank() {
            try self.expectOpening()
            repeat {
                if self.take(word: "CONDSTORE") {
                    select.condStore = true
                } else if select.resync == nil, self.take(argumentsOf: "QRESYNC") {
                    select.resync = try self.resync()
                } else {
                    throw self.error(.expected("select parameter"))
                }
            } while self.takeBlank()
            try self.expectClosing()
        }
        try self.expectEndOfCommand()
        return select
    }

    ///     "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
    private mutating func resync() throws(SyntaxError) -> Select.Resync {
        try self.expectOpening()
        let uidValidity = try self.nonZeroNumber()
        try self.expectBlank()
        var resync = Select.Resync(uidValidity: uidValidity, modSeq: try self.number64())
        while self.takeBlank() {
            if self.peek() == UInt8(ascii: "(") {
                try self.expectOpening()
                resync.knownSequences = try self.sequenceSet()
                try self.expectBlank()
                resync.matchingUIDs = try self.sequenceSet()
                try self.expectClosing()
                break
            }
            guard resync.knownUIDs == nil else { throw self.error(.expected("seq-match-data")) }
            resync.knownUIDs = try self.sequenceSet()
        }
        try self.expectClosing()
        return resync
    }
}

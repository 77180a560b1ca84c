package import struct NIOCore.ByteBuffer

/// `CREATE Akten/2026 (USE (\Archive))` (RFC 9051 §6.3.4, RFC 6154 §3).
package struct Create: Equatable, Sendable {
    /// The new mailbox.
    package var mailbox: ClientMailbox
    /// The special-use attributes, in the protocol's spelling.
    package var uses: [ByteBuffer] = []

    /// The capabilities that the server needs.
    package var requiredCapabilities: [String] { self.uses.isEmpty ? [] : ["CREATE-SPECIAL-USE"] }

    package func encode(into encoder: inout CommandEncoder, mailbox: ByteBuffer) {
        encoder.write(word: "CREATE")
        encoder.write(mailbox: mailbox)
        guard !self.uses.isEmpty else { return }
        encoder.open()
        encoder.write(word: "USE")
        encoder.write(listOf: self.uses)
        encoder.close()
    }
}

/// `RENAME Alt Neu` (RFC 9051 §6.3.6).
package struct Rename: Equatable, Sendable {
    /// The mailbox to rename.
    package var from: ClientMailbox
    /// Its new name.
    package var to: ClientMailbox
}

/// `COPY 2:4 Archiv` and its UID form (RFC 9051 §6.4.7); also MOVE (RFC 6851).
package struct Copy: Equatable, Sendable {
    /// Whether numbers are UIDs.
    package var isUID: Bool
    /// The messages.
    package var set: SequenceSet
    /// The target mailbox.
    package var mailbox: ClientMailbox

    /// The capabilities that the server needs.
    package var requiredCapabilities: [String] { self.set.isSavedResult ? ["SEARCHRES"] : [] }

    /// Encodes the command.
    /// - Parameters:
    ///   - command: `COPY` or `MOVE`.
    ///   - mailbox: the target in the server's encoding.
    package func encode(
        into encoder: inout CommandEncoder,
        command: StaticString,
        mailbox: ByteBuffer
    ) {
        if self.isUID { encoder.write(word: "UID") }
        encoder.write(word: command)
        self.set.encode(into: &encoder)
        encoder.write(mailbox: mailbox)
    }
}

/// `SETACL Akten bob +lr` (RFC 4314 §3.1).
package struct SetACL: Equatable, Sendable {
    package var mailbox: ClientMailbox
    /// A login or `group:NAME`, possibly with `-` before it (RFC 4314 §3).
    package var identifier: ByteBuffer
    /// The rights, possibly with `+` or `-` before them.
    package var rights: ByteBuffer
}

/// `DELETEACL Akten bob` (RFC 4314 §3.2).
package struct DeleteACL: Equatable, Sendable {
    package var mailbox: ClientMailbox
    package var identifier: ByteBuffer
}

/// `LISTRIGHTS Akten bob` (RFC 4314 §3.4).
package struct ListRights: Equatable, Sendable {
    package var mailbox: ClientMailbox
    package var identifier: ByteBuffer
}

extension Cursor {
    mutating func onlyMailbox() throws(SyntaxError) -> ClientMailbox {
        let mailbox = try self.mailbox()
        try self.expectEndOfCommand()
        return mailbox
    }

    mutating func create() throws(SyntaxError) -> Create {
        var create = Create(mailbox: try self.mailbox())
        if self.takeBlank() {
            try self.expectOpening()
            guard self.take(argumentsOf: "USE") else { throw self.error(.expected("USE")) }
            create.uses = try self.elements(mayBeEmpty: true) { cursor throws(SyntaxError) in
                try cursor.specialUse()
            }
            try self.expectClosing()
        }
        try self.expectEndOfCommand()
        return create
    }

    private mutating func specialUse() throws(SyntaxError) -> ByteBuffer {
        let uses: [StaticString] = [
            "\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash",
            "\\Important",
        ]
        for use in uses where self.take(word: use) { return ByteBuffer(staticString: use) }
        throw self.error(.expected("special use"))
    }

    mutating func rename() throws(SyntaxError) -> Rename {
        let from = try self.mailbox()
        try self.expectBlank()
        let to = try self.mailbox()
        try self.expectEndOfCommand()
        return Rename(from: from, to: to)
    }

    mutating func copy(isUID: Bool) throws(SyntaxError) -> Copy {
        let set = try self.sequenceSet()
        try self.expectBlank()
        let mailbox = try self.mailbox()
        try self.expectEndOfCommand()
        return Copy(isUID: isUID, set: set, mailbox: mailbox)
    }

    mutating func setACL() throws(SyntaxError) -> SetACL {
        let (mailbox, identifier) = try self.mailboxAndIdentifier()
        try self.expectBlank()
        let rights = try self.asciiAstring()
        try self.expectEndOfCommand()
        return SetACL(mailbox: mailbox, identifier: identifier, rights: rights)
    }

    mutating func mailboxAndIdentifier() throws(SyntaxError) -> (ClientMailbox, ByteBuffer) {
        let mailbox = try self.mailbox()
        try self.expectBlank()
        return (mailbox, try self.astring())
    }

    mutating func onlySequenceSet() throws(SyntaxError) -> SequenceSet {
        let set = try self.sequenceSet()
        try self.expectEndOfCommand()
        return set
    }

    mutating func onlyAstring() throws(SyntaxError) -> ByteBuffer {
        let value = try self.asciiAstring()
        try self.expectEndOfCommand()
        return value
    }
}

package import Access
package import Foundation

/// A copy of a sent message that waits in a shared database for its Sent folder.
package struct StoredSentCopy: Equatable, Sendable {
    /// The name of its file, without suffix. It is unique.
    package var name: String
    /// The account whose Sent folder gets it.
    package var account: AccountID
    /// The size of the message.
    package var octets: UInt64
    /// The message's Message-ID; nil without one.
    package var messageID: String?

    package init(name: String, account: AccountID, octets: UInt64, messageID: String?) {
        self.name = name
        self.account = account
        self.octets = octets
        self.messageID = messageID
    }
}

/// Who files a copy.
package enum SentCopyOwner: Equatable, Sendable {
    /// This process.
    case own
    /// Another process has the copy, or filed it.
    case other
    /// The database does not know the copy: it is an older one.
    case none
}

/// Copies for Sent folders in a database that several nodes share. They survive the machine that
/// took the message.
///
/// Only a copy in the state `sent` is ever filed: its message went out. A copy is `unsent` until
/// the mail server has answered, and `unknown` if its process died before. The row of a copy that
/// was taken over stays as `filed` for a time, for the node that still has its file.
extension PermissionStore {
    /// Octets of a message in one row. PostgreSQL's text format needs twice as many, and a message
    /// of 50 MiB must not be in memory as a whole.
    private static let chunk = 256 * 1_024

    /// Stores a copy whose message's outcome is not known yet.
    ///
    /// A copy that an earlier process stored becomes this process's.
    /// - Parameter file: The message. It is read in chunks.
    package func storeSentCopy(_ copy: StoredSentCopy, from file: URL) throws {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        // No lock: the rows are new, and a large message takes seconds.
        try self.write(locking: .none) { transaction in
            let (node, instance) = (transaction.connection.node, transaction.connection.instance)
            try transaction.execute(
                sql: """
                    UPDATE sentCopy SET node = ?, instance = ? WHERE name = ? AND state IN ('unsent', 'unknown')
                    """,
                arguments: [node, instance, copy.name]
            )
            guard transaction.changedRows == 0 else { return }
            try transaction.execute(
                sql: """
                    INSERT INTO sentCopy
                        (name, account, state, octets, messageID, created, node, instance)
                    VALUES (?, ?, 'unsent', ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    copy.name, copy.account.rawValue, Int64(clamping: copy.octets),
                    // PostgreSQL stores no NUL.
                    copy.messageID.map { $0.replacing("\0", with: "") },
                    Moment.current.seconds, node, instance,
                ]
            )
            var number = 0
            while let octets = try handle.read(upToCount: Self.chunk), !octets.isEmpty {
                try transaction.execute(
                    sql: "INSERT INTO sentCopyChunk (copy, number, octets) VALUES (?, ?, ?)",
                    arguments: [copy.name, number, octets]
                )
                number += 1
            }
        }
    }

    /// Confirms that the message of a copy went out and that this process files the copy, and
    /// tells that the process lives. A copy whose message's outcome was unknown to other nodes
    /// becomes this process's.
    package func confirmSentCopy(_ name: String) throws -> SentCopyOwner {
        // Like a takeover, so that one of both sees what the other did.
        try self.write(locking: .journal) { transaction in
            try transaction.connection.renewLease()
            let (node, instance) = (transaction.connection.node, transaction.connection.instance)
            try transaction.execute(
                sql: """
                    UPDATE sentCopy SET state = 'sent', node = ?, instance = ?
                    WHERE name = ? AND state <> 'filed' AND (node = ? OR state <> 'sent')
                    """,
                arguments: [node, instance, name, node]
            )
            guard transaction.changedRows == 0 else { return .own }
            let row = try transaction.row(
                sql: "SELECT 1 FROM sentCopy WHERE name = ?",
                arguments: [name]
            )
            return row == nil ? .none : .other
        }
    }

    /// Marks a copy whose process stopped before it knew the mail server's answer.
    package func setUnknownSentCopy(_ name: String) throws {
        try self.write(locking: .journal) { transaction in
            try transaction.execute(
                sql: """
                    UPDATE sentCopy SET state = 'unknown', instance = 0
                    WHERE name = ? AND state = 'unsent'
                    """,
                arguments: [name]
            )
        }
    }

    /// Deletes a copy of this node that is not to be filed, or was filed and is on no other node's
    /// disk. Does nothing if there is none.
    /// - Parameter isFiled: Whether the copy was filed. If another node took it over meanwhile, it
    ///   is marked as filed.
    package func removeSentCopy(_ name: String, isFiled: Bool = false) throws {
        try self.write(locking: .journal) { transaction in
            try transaction.execute(
                sql: """
                    DELETE FROM sentCopy
                    WHERE name = ? AND (node = ? OR state NOT IN ('sent', 'filed'))
                    """,
                arguments: [name, transaction.connection.node]
            )
            if isFiled, transaction.changedRows == 0 { try transaction.setFiled(name) }
        }
    }

    /// Records that a copy was filed, and deletes its message. Nobody files it after that.
    package func setFiledSentCopy(_ name: String) throws {
        try self.write(locking: .journal) { try $0.setFiled(name) }
    }

    /// The copies that this process must file, oldest first.
    package func ownSentCopies() throws -> [StoredSentCopy] {
        try self.read { transaction in
            try transaction.sentCopies(
                where: "state = 'sent' AND instance = ?",
                arguments: [transaction.connection.instance]
            )
        }
    }

    /// Writes the message of a copy into a file.
    /// - Throws: ``StoreError`` of kind `notFound` if a part of it is missing.
    package func readSentCopy(_ copy: StoredSentCopy, into file: FileHandle) throws {
        try self.read { transaction in
            var (octets, number) = (UInt64(0), 0)
            while octets < copy.octets {
                let chunk = try transaction.value(
                    of: Data.self,
                    sql: "SELECT octets FROM sentCopyChunk WHERE copy = ? AND number = ?",
                    arguments: [copy.name, number]
                )
                guard let chunk, !chunk.isEmpty else {
                    throw StoreError.notFound("the store has no part \(number) of \(copy.name)")
                }
                try file.write(contentsOf: chunk)
                octets += UInt64(chunk.count)
                number += 1
            }
        }
    }

    // MARK: - For doctor

    /// The copies whose message's outcome nobody knows; empty for a store that is not shared.
    package func unknownSentCopies() throws -> [StoredSentCopy] {
        guard self.isShared else { return [] }
        return try self.read { transaction in
            try transaction.sentCopies(
                // No gateway of another node may run that finds the death of a process.
                where: "state = 'unknown' OR (state = 'unsent' AND created < ?)",
                arguments: [Moment.current.seconds - StoreTransaction.transferTime]
            )
        }
    }

    /// The copies that wait for longer than a number of seconds; empty for a store that is not
    /// shared.
    package func waitingSentCopies(after seconds: Int64) throws -> [StoredSentCopy] {
        guard self.isShared else { return [] }
        return try self.read { transaction in
            try transaction.sentCopies(
                where: "state = 'sent' AND created < ?",
                arguments: [Moment.current.seconds - seconds]
            )
        }
    }
}

extension StoreTransaction {
    /// Makes the waiting copies of a dead process this one's, and those unknown whose message
    /// perhaps never went out.
    func takeSentCopies(of owner: OwningProcess) throws {
        let (key, own) = (owner.key, self.connection)
        try self.execute(
            sql: """
                UPDATE sentCopy SET node = ?, instance = ?
                WHERE node = ? AND sentCopy.instance = ? AND state = 'sent' AND \(Self.isSilent)
                """,
            arguments: [
                own.node, own.instance, key.node, key.instance, key.node, key.instance, owner.seen,
            ]
        )
        try self.execute(
            sql: """
                UPDATE sentCopy SET state = 'unknown', instance = 0
                WHERE node = ? AND sentCopy.instance = ? AND state = 'unsent' AND \(Self.isSilent)
                """,
            arguments: [key.node, key.instance, key.node, key.instance, owner.seen]
        )
    }

    /// Seconds for which the name of a filed copy is kept. A node that was away for longer compares
    /// its copy with the Sent folder.
    private static let filedTime: Int64 = 90 * 86_400

    /// Marks a copy as filed, deletes its message, and deletes old names.
    fileprivate func setFiled(_ name: String) throws {
        let now = Moment.current.seconds
        try self.execute(
            sql: "UPDATE sentCopy SET state = 'filed', created = ? WHERE name = ?",
            arguments: [now, name]
        )
        try self.execute(sql: "DELETE FROM sentCopyChunk WHERE copy = ?", arguments: [name])
        try self.execute(
            sql: "DELETE FROM sentCopy WHERE state = 'filed' AND created < ?",
            arguments: [now - Self.filedTime]
        )
    }

    /// The copies that meet a condition, oldest first, without their messages.
    fileprivate func sentCopies(
        where condition: String,
        arguments: StoreArguments
    ) throws -> [StoredSentCopy] {
        try self.rows(
            sql: """
                SELECT name, account, octets, messageID FROM sentCopy
                WHERE \(condition) ORDER BY created, name
                """,
            arguments: arguments
        ).map { row in
            let octets: Int64 = row["octets"]
            return StoredSentCopy(
                name: row["name"],
                account: AccountID(row["account"]),
                octets: UInt64(clamping: octets),
                messageID: row["messageID"]
            )
        }
    }

    /// Requires, before the store is copied, that no copy waits: the target has no place for them.
    func requireNoSentCopies() throws {
        let count = try self.value(
            of: Int.self,
            sql: "SELECT count(*) FROM sentCopy WHERE state <> 'filed'"
        )
        guard count == 0 else {
            throw StoreError.refused(
                "\(count ?? 0) copies of sent messages wait in the database: let the gateways file "
                    + "them first; gatepost doctor shows those that need a decision"
            )
        }
    }
}

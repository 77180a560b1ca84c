import Access
import Foundation
import GRDB
import Store
import Testing

/// A plain copy of the one database file, as a backup takes it.
@Suite struct StoreCopyTests {
    private typealias Temporary = PermissionStoreTests.Temporary

    private static func record(_ number: Int) -> (moment: Moment, record: AuditRecord) {
        (Moment(seconds: 1_000), AuditRecord(event: "select \(number)", actor: "anna"))
    }

    private static func size(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }

    /// Copies the database file alone, and verifies the audit log in the copy.
    private static func verified(_ temporary: Temporary) throws -> AuditVerification {
        let path = temporary.folder.appendingPathComponent("copy-\(UUID().uuidString)").path
        try FileManager.default.copyItem(atPath: temporary.path, toPath: path)
        let copy = try PermissionStore(path: path, creates: false)
        defer { copy.close() }
        #expect(try copy.integrityProblem() == nil)
        return try copy.verifyAudit(temporary.masterKey)
    }

    /// The other connection stands for a gateway, which keeps the files open.
    @Test func `a copy after each command has what the command wrote`() throws {
        let temporary = try Temporary()
        try temporary.store.sealAudit(temporary.masterKey, begins: true)
        for number in 1...3 {
            do {
                let command = try PermissionStore(path: temporary.path)
                try command.addUser(NewUser("u\(number)@kanzlei.example"), actor: "test")
            }
            #expect(try Self.verified(temporary).count == number)
            #expect(Self.size(temporary.path + "-wal") == 0)
        }
        // Records without an edit, as of a refused command.
        do {
            let command = try PermissionStore(path: temporary.path)
            try command.audit((1...500).map(Self.record))
        }
        let found = try Self.verified(temporary)
        #expect(found.count == 503 && found.problems.isEmpty)
        #expect(Self.size(temporary.path + "-wal") == 0)
    }

    @Test func `a copy after a clean stop is complete although another process has the store open`()
        throws
    {
        let temporary = try Temporary()
        let other = try PermissionStore(path: temporary.path)
        #expect(try other.users().isEmpty)
        try temporary.store.sealAudit(temporary.masterKey, begins: true)
        for batch in 0..<50 { try temporary.store.audit((0..<20).map { Self.record(batch + $0) }) }
        try temporary.store.sealAudit(temporary.masterKey)
        temporary.store.close()
        let found = try Self.verified(temporary)
        #expect(found.count == 1_000 && found.only?.sealed == 1_000 && found.problems.isEmpty)
        #expect(Self.size(temporary.path + "-wal") == 0)
        #expect(try other.auditEntries().count == 1_000)
    }

    @Test(.timeLimit(.minutes(20)))
    func `a command does not wait for a long reader, and the next one empties the log`() throws {
        let temporary = try Temporary()
        try temporary.store.sealAudit(temporary.masterKey, begins: true)
        let reader = try DatabaseQueue(path: temporary.path)
        try reader.writeWithoutTransaction { database in
            try database.execute(sql: "BEGIN")
            #expect(try Int.fetchOne(database, sql: "SELECT count(*) FROM user") == 0)
            let start = ContinuousClock.now
            try temporary.addUsers("anna")
            // The busy time of a write is 10 seconds; other work of the machine takes time, too.
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(Self.size(temporary.path + "-wal") > 0)
            try database.execute(sql: "COMMIT")
        }
        try temporary.addUsers("bob")
        #expect(try Self.verified(temporary).count == 2)
        #expect(Self.size(temporary.path + "-wal") == 0)
    }
}

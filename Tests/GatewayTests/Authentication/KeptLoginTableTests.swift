import Access
import Cryptography
import Support
import Testing

@testable import Gateway
@testable import Store

/// Which login an entry stands for, and what a file must be like to be read.
@Suite struct KeptLoginTableTests {
    private static let key = SymmetricKey()
    private static let now = Moment(seconds: 1_700_000_000)

    private static func later(_ seconds: Int64) -> Moment {
        Moment(seconds: self.now.seconds + seconds)
    }

    /// No hash is computed: any text stands for one.
    private static func claim(
        user: Int64 = 1,
        name: String = "anna@kanzlei.example",
        password: String = "pw-anna",
        hash: String = "scrypt$15$8$1$SALT$KEY",
        version: Int64 = 1
    ) throws -> PasswordClaim {
        let login = try #require(Address(Array(name.utf8)))
        return PasswordClaim(
            user: User(id: UserID(user), login: login),
            password: Array(password.utf8),
            record: PasswordRecord(hash: PasswordHash(text: hash), version: version)
        )
    }

    /// A table with one login.
    private static func table() throws -> KeptLoginTable {
        var table = KeptLoginTable(key: self.key)
        table.add(try self.claim(), at: self.now)
        return table
    }

    private static func read(
        _ octets: [UInt8],
        key: SymmetricKey = Self.key,
        at now: Moment = Self.now
    ) throws(KeptLoginTable.Damaged) -> KeptLoginTable {
        var table = KeptLoginTable(key: key)
        try table.read(octets, at: now)
        return table
    }

    @Test func `a login is found with all of its parts, and with no other part`() throws {
        let table = try Self.table()
        #expect(try table.contains(Self.claim(), at: Self.now))
        let others = [
            try Self.claim(user: 2), try Self.claim(name: "anne@kanzlei.example"),
            try Self.claim(password: "pw-ann"), try Self.claim(password: "pw-annaa"),
            try Self.claim(password: ""), try Self.claim(password: "PW-ANNA"),
            try Self.claim(hash: "scrypt$15$8$1$SALT$KEZ"), try Self.claim(hash: ""),
            try Self.claim(version: 2), try Self.claim(version: 0),
            // What moves from one part to the next is another login.
            try Self.claim(password: "KEYpw-anna", hash: "scrypt$15$8$1$SALT$"),
            try Self.claim(password: "pw-anna", hash: "scrypt$15$8$1$SALT$KEYpw-anna"),
        ]
        for other in others { #expect(!table.contains(other, at: Self.now), "\(other)") }
    }

    @Test func `a login is kept for a day, and not by a clock that is set back`() throws {
        let table = try Self.table()
        let claim = try Self.claim()
        #expect(KeptLoginTable.lifetime == 86_400)
        #expect(table.contains(claim, at: Self.later(86_399)))
        #expect(!table.contains(claim, at: Self.later(86_400)))
        #expect(!table.contains(claim, at: Self.later(-1)))
        let octets = table.encoded(at: Self.now)
        #expect(try Self.read(octets, at: Self.later(86_399)).count == 1)
        #expect(try Self.read(octets, at: Self.later(86_400)).count == 0)
        #expect(try Self.read(octets, at: Self.later(-1)).count == 0)
        #expect(table.encoded(at: Self.later(86_400)).count < octets.count)
    }

    @Test func `a table is read as it was written`() throws {
        var table = KeptLoginTable(key: Self.key)
        for user in 1...20 as ClosedRange<Int64> {
            table.add(try Self.claim(user: user, password: "pw\(user)"), at: Self.later(user))
        }
        let copy = try Self.read(table.encoded(at: Self.later(20)), at: Self.later(20))
        #expect(copy.count == 20)
        for user in 1...20 as ClosedRange<Int64> {
            let claim = try Self.claim(user: user, password: "pw\(user)")
            #expect(copy.contains(claim, at: Self.later(20)))
            #expect(copy.contains(claim, at: Self.later(86_399 + user)))
            #expect(!copy.contains(claim, at: Self.later(86_400 + user)))
            #expect(try !copy.contains(Self.claim(user: user, password: "pw0"), at: Self.later(20)))
        }
        let empty = KeptLoginTable(key: Self.key).encoded(at: Self.now)
        #expect(try Self.read(empty).count == 0)
    }

    @Test func `equal logins have different octets, and no part of a login is in the file`() throws
    {
        let first = try Self.table().encoded(at: Self.now)
        let second = try Self.table().encoded(at: Self.now)
        // The first line, the number, the user and the expiry.
        #expect(first.prefix(38) == second.prefix(38))
        let (one, other) = (Array(first.dropFirst(38)), Array(second.dropFirst(38)))
        #expect(zip(one, other).count { $0 == $1 } < 20)
        let text = String(decoding: first, as: UTF8.self)
        #expect(!text.contains("anna") && !text.contains("scrypt"))
        var table = KeptLoginTable(key: Self.key)
        for user in [1, 2] as [Int64] { table.add(try Self.claim(user: user), at: Self.now) }
        let both = table.encoded(at: Self.now)
        #expect(both[38..<86] != both[102..<150])
    }

    @Test func `a file that was cut anywhere is damaged`() throws {
        let octets = try Self.table().encoded(at: Self.now)
        for count in octets.indices {
            #expect(throws: KeptLoginTable.Damaged.self) {
                try Self.read(Array(octets.prefix(count)))
            }
            #expect(throws: KeptLoginTable.Damaged.self) {
                try Self.read(Array(octets.suffix(count)))
            }
        }
        #expect(throws: KeptLoginTable.Damaged.self) { try Self.read(octets + [0]) }
        #expect(throws: KeptLoginTable.Damaged.self) { try Self.read(octets + octets) }
    }

    @Test func `a file with another octet anywhere is damaged`() throws {
        let octets = try Self.table().encoded(at: Self.now)
        for index in octets.indices {
            for flip in [0x01, 0x80] as [UInt8] {
                var changed = octets
                changed[index] ^= flip
                #expect(throws: KeptLoginTable.Damaged.self) { try Self.read(changed) }
            }
        }
    }

    @Test func `a file of another key is damaged, and changes nothing`() throws {
        var table = KeptLoginTable(key: SymmetricKey())
        table.add(try Self.claim(), at: Self.now)
        let octets = try Self.table().encoded(at: Self.now)
        #expect(throws: KeptLoginTable.Damaged.self) { try table.read(octets, at: Self.now) }
        #expect(try table.contains(Self.claim(), at: Self.now))
    }

    @Test(arguments: 0..<4)
    func `any octets are damaged, also with a valid first line`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        for _ in 0..<500 {
            let count = Int.random(in: 0..<200, using: &random)
            let octets = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
            #expect(throws: KeptLoginTable.Damaged.self) { try Self.read(octets) }
            #expect(throws: KeptLoginTable.Damaged.self) {
                try Self.read(Array("gatepost logins 1\n".utf8) + octets)
            }
        }
    }

    @Test(arguments: [0, 2, UInt32.max])
    func `a sealed file with another number of entries is damaged`(count: UInt32) throws {
        var octets = Array(try Self.table().encoded(at: Self.now).dropLast(SHA256.octetCount))
        for shift in 0..<4 { octets[21 - shift] = UInt8(truncatingIfNeeded: count >> (8 * shift)) }
        let key = HMACSHA256.derivedKey(from: Self.key, purpose: "file")
        octets += HMACSHA256.code(for: octets, key: key)
        #expect(throws: KeptLoginTable.Damaged.self) { try Self.read(octets) }
    }

    @Test func `a full table drops entries that expire first`() throws {
        var table = KeptLoginTable(key: Self.key)
        for user in 1...KeptLoginTable.maximumEntries {
            table.add(try Self.claim(user: Int64(user)), at: Self.later(Int64(user)))
        }
        let now = Self.later(Int64(KeptLoginTable.maximumEntries))
        #expect(table.encoded(at: now).count == KeptLoginTable.maximumOctets)
        table.add(try Self.claim(user: 0), at: now)
        #expect(table.count <= KeptLoginTable.maximumEntries)
        #expect(try table.contains(Self.claim(user: 0), at: now))
        #expect(try !table.contains(Self.claim(user: 1), at: now))
        let newest = try Self.claim(user: Int64(KeptLoginTable.maximumEntries))
        #expect(table.contains(newest, at: now))
        #expect(try Self.read(table.encoded(at: now), at: now).count == table.count)
    }
}

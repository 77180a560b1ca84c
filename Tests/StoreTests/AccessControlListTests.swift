import Access
import Foundation
import Store
import Testing

/// Grants that owners set from mail clients, together with other grants.
@Suite struct AccessControlListTests {
    private typealias Temporary = PermissionStoreTests.Temporary

    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"

    private static func office() throws -> Temporary {
        let temporary = try Temporary()
        try temporary.addUsers("anna", "bob")
        try temporary.addAccount("bob", owner: "bob")
        return temporary
    }

    private static func share(
        _ temporary: Temporary,
        _ kind: ACLChange.Kind,
        _ rights: String,
        with subject: String = anna
    ) throws -> ACLChange.Outcome {
        let access = try temporary.store.load().access
        let account = try #require(Address(Self.bob.utf8).flatMap { access.account(address: $0) })
        return try temporary.store.share(
            ACLChange(
                owner: try #require(account.owner),
                account: account.id,
                folder: try #require(FolderPath(octets: Array("Akten".utf8))),
                identifier: Array(subject.utf8),
                kind: kind,
                rights: try #require(Rights(letters: rights))
            ),
            from: nil
        )
    }

    private static func grant(
        _ temporary: Temporary,
        _ rights: Rights,
        folder: String?,
        until: Int64?
    ) throws {
        let path = folder.flatMap { FolderPath(octets: Array($0.utf8)) }
        try temporary.store.addGrant(
            GrantRequest(
                account: Self.bob,
                subject: Self.anna,
                rights: rights,
                send: .none,
                scope: path.map { .folder($0) } ?? .account,
                until: until.map(Moment.init(seconds:))
            ),
            actor: "test"
        )
    }

    private static func grants(_ temporary: Temporary) throws -> [String] {
        try temporary.store.grants(account: nil, subject: nil).map { grant in
            "\(grant.rights) \(grant.folder ?? "all")" + (grant.until == nil ? "" : " for a time")
        }
    }

    @Test func `SETACL and DELETEACL replace, add and remove the rights of a subject`() throws {
        let temporary = try Self.office()
        #expect(try Self.share(temporary, .replace, "lr") == .done)
        #expect(try Self.share(temporary, .add, "sw") == .done)
        #expect(try Self.grants(temporary) == ["lrsw Akten"])
        #expect(try Self.share(temporary, .remove, "rw") == .done)
        #expect(try Self.grants(temporary) == ["ls Akten"])
        #expect(try Self.share(temporary, .replace, "") == .done)
        #expect(try Self.grants(temporary) == [])
    }

    @Test func `adding a right does not revive an expired grant`() throws {
        let temporary = try Self.office()
        try Self.grant(temporary, .edit, folder: "Akten", until: 1)
        #expect(try Self.share(temporary, .add, "l") == .done)
        #expect(try Self.grants(temporary) == ["l Akten"])
        // A permanent right does not make temporary rights permanent.
        let other = try Self.office()
        try Self.grant(other, .view, folder: nil, until: 4_000_000_000)
        #expect(try Self.share(other, .add, "s") == .done)
        #expect(try Self.grants(other).sorted() == ["lr all for a time", "s Akten"])
        // An expired grant on the whole account has no effect on the change.
        try Self.grant(temporary, .view, folder: nil, until: 1)
        #expect(try Self.share(temporary, .replace, "lr") == .done)
        #expect(try Self.grants(temporary).contains("lr Akten"))
        #expect(try Self.share(temporary, .replace, "") == .done)
    }

    @Test func `adding a right keeps the end of a temporary grant`() throws {
        let temporary = try Self.office()
        try Self.grant(temporary, .view, folder: "Akten", until: 4_000_000_000)
        #expect(try Self.share(temporary, .add, "s") == .done)
        #expect(try Self.grants(temporary) == ["lrs Akten for a time"])
        #expect(try Self.share(temporary, .replace, "lr") == .done)
        #expect(try Self.grants(temporary) == ["lr Akten"])
    }

    @Test func `sharing a folder leaves grants on wider scopes unchanged`() throws {
        let temporary = try Self.office()
        try Self.grant(temporary, .view, folder: nil, until: nil)
        #expect(try Self.share(temporary, .replace, "") == .grantedElsewhere)
        #expect(try Self.share(temporary, .remove, "r") == .grantedElsewhere)
        #expect(try Self.share(temporary, .add, "r") == .done)
        #expect(try Self.grants(temporary) == ["lr all"])
        #expect(try Self.share(temporary, .add, "s") == .done)
        #expect(try Self.grants(temporary).sorted() == ["lr all", "s Akten"])
    }

    @Test func `an account accepts a limited number of grants from mail clients`() throws {
        let temporary = try Self.office()
        for number in 0..<PermissionStore.maximumSharedGrants {
            try Self.grant(temporary, .view, folder: "Akten \(number)", until: nil)
        }
        #expect(try Self.share(temporary, .replace, "lr") == .tooMany)
        #expect(try Self.grants(temporary).count == PermissionStore.maximumSharedGrants)
    }

    @Test(arguments: [
        "nobody@kanzlei.example", "group:Nirgends", bob, "a b", "group:", "", "anyone", "-\(anna)",
    ])
    func `a refused ACL change adds no grant`(subject: String) throws {
        let temporary = try Self.office()
        #expect(try Self.share(temporary, .replace, "lr", with: subject) == .unknownIdentifier)
        #expect(try Self.grants(temporary) == [])
    }
}

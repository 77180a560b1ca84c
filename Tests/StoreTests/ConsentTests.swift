import Access
import Foundation
import Store
import Testing

@Suite struct ConsentTests {
    private typealias Temporary = PermissionStoreTests.Temporary

    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"

    private static func office() throws -> Temporary {
        let temporary = try Temporary()
        try temporary.addUsers("anna", "bob")
        try temporary.addAccount("bob", owner: "bob")
        try temporary.addAccount("info")
        return temporary
    }

    @discardableResult
    private static func grant(
        _ temporary: Temporary,
        _ rights: Rights,
        _ consent: Consent,
        account: String = bob,
        subject: String = anna,
        until: Int64? = nil
    ) throws -> Bool {
        try temporary.store.addGrant(
            GrantRequest(
                account: account,
                subject: subject,
                rights: rights,
                send: .none,
                until: until.map(Moment.init(seconds:)),
                reason: "Vertretung"
            ),
            consent: consent,
            actor: "kim"
        )
    }

    private static func rights(_ temporary: Temporary) throws -> String {
        let access = try temporary.store.load().access
        let user = try #require(Address(Self.anna.utf8).flatMap { access.user(login: $0) }).id
        let account = try #require(Address(Self.bob.utf8).flatMap(access.account)).id
        return access.access(of: user, to: account, at: .current).coversAccount.letters
    }

    @Test func `a grant on an owned mailbox waits for the owner`() throws {
        let temporary = try Self.office()
        #expect(try Self.grant(temporary, .view, .required))
        #expect(try Self.rights(temporary) == "")
        // This account has no owner; and a grant to the owner needs no consent.
        #expect(try !Self.grant(temporary, .view, .required, account: "info@kanzlei.example"))
        #expect(try !Self.grant(temporary, .view, .required, subject: Self.bob))
        let waiting = try temporary.store.pendingGrants(owner: Self.bob)
        #expect(waiting.map(\.subject) == [Self.anna])
        #expect(try temporary.store.pendingGrants(owner: Self.anna).isEmpty)
        let id = try #require(waiting.first?.id)
        #expect(throws: StoreError.self) {
            try temporary.store.confirmGrant(id, owner: Self.anna)
        }
        try temporary.store.confirmGrant(id, owner: Self.bob)
        #expect(try Self.rights(temporary) == "lr")
        #expect(throws: StoreError.self) { try temporary.store.confirmGrant(id, owner: Self.bob) }
        #expect(throws: StoreError.self) { try temporary.store.refuseGrant(id, owner: Self.bob) }
    }

    @Test func `a wider grant waits for consent, and a narrower one takes effect at once`() throws {
        let temporary = try Self.office()
        try Self.grant(temporary, .view, .off)
        #expect(try Self.grant(temporary, .edit, .required))
        #expect(try Self.rights(temporary) == "lr")
        let id = try #require(try temporary.store.pendingGrants(owner: Self.bob).first?.id)
        try temporary.store.confirmGrant(id, owner: Self.bob)
        #expect(try Self.rights(temporary) == "lrswite")
        #expect(try temporary.store.grants(account: nil, subject: nil).count == 1)
        #expect(try !Self.grant(temporary, .view, .required))
        #expect(try Self.rights(temporary) == "lr")
        // A later end is a wider grant.
        try Self.grant(temporary, .view, .off, until: 4_000_000_000)
        #expect(try Self.grant(temporary, .view, .required, until: 4_000_000_001))
        #expect(try Self.grant(temporary, .view, .required))
        #expect(try !Self.grant(temporary, .view, .required, until: 3_999_999_999))
    }

    @Test func `the gateway's consent setting overrides a weaker one of a command`() throws {
        let temporary = try Self.office()
        try temporary.store.setConsent(.required)
        #expect(try Self.grant(temporary, .view, .off))
        #expect(try temporary.store.consent(atLeast: .off) == .required)
        try temporary.store.setConsent(.off)
        #expect(try !Self.grant(temporary, .view, .off))
        #expect(try temporary.store.consent(atLeast: .notify) == .notify)
    }

    @Test func `a refused grant is deleted`() throws {
        let temporary = try Self.office()
        try Self.grant(temporary, .view, .required)
        let id = try #require(try temporary.store.pendingGrants(owner: Self.bob).first?.id)
        try temporary.store.refuseGrant(id, owner: Self.bob)
        #expect(try temporary.store.grants(account: nil, subject: nil).isEmpty)
    }

    @Test(arguments: [(Consent.off, 0), (.notify, 1), (.required, 1)])
    func `the owner receives a notice unless consent is off`(consent: Consent, count: Int) throws {
        let temporary = try Self.office()
        try Self.grant(temporary, .view, consent)
        try Self.grant(temporary, .view, consent, account: "info@kanzlei.example")
        let notices = try temporary.store.notices()
        #expect(notices.count == count)
        guard let notice = notices.first else { return }
        #expect(notice.text.contains("kim has given anna@kanzlei.example access"))
        #expect(notice.text.contains("Vertretung"))
        #expect(notice.text.contains("consent confirm") == (consent == .required))
        try temporary.store.removeNotice(notice.id)
        #expect(try temporary.store.notices().isEmpty)
    }

    @Test func `apply requires consent and keeps existing grants`() throws {
        let temporary = try Self.office()
        try Self.grant(temporary, .view, .off)
        let before = try temporary.store.grants(account: nil, subject: nil)
        var document = try temporary.store.export()
        #expect(
            try temporary.store.apply(document, dryRun: false, consent: .required, actor: "x")
                .isEmpty
        )
        #expect(try temporary.store.grants(account: nil, subject: nil) == before)
        document.grants?[0].rights = "lrswite"
        _ = try temporary.store.apply(document, dryRun: false, consent: .required, actor: "x")
        #expect(try Self.rights(temporary) == "")
        #expect(try temporary.store.pendingGrants(owner: Self.bob).map(\.rights) == ["lrswite"])
        // A narrower grant takes effect at once.
        let narrowed = try Self.office()
        try Self.grant(narrowed, .edit, .off)
        document = try narrowed.store.export()
        document.grants?[0].rights = "lr"
        _ = try narrowed.store.apply(document, dryRun: false, consent: .required, actor: "x")
        #expect(try Self.rights(narrowed) == "lr")
        // A pending grant stays pending in another store.
        let other = try Self.office()
        let exported = try temporary.store.export()
        _ = try other.store.apply(exported, dryRun: false, actor: "x")
        #expect(try Self.rights(other) == "")
        #expect(try other.store.export() == exported)
    }

    @Test func `apply refuses a plan for another revision`() throws {
        let temporary = try Self.office()
        var document = ModelDocument()
        document.grants = []
        let plan = try temporary.store.plan(document, consent: .off, actor: "kim")
        try Self.grant(temporary, .view, .off)
        #expect(throws: StoreError.self) { try temporary.store.apply(plan, actor: "kim") }
        #expect(try temporary.store.grants(account: nil, subject: nil).count == 1)
    }

    @Test func `an owner is authenticated by password`() throws {
        let temporary = try Temporary()
        try temporary.store.addUser(NewUser(Self.bob, password: "right"), actor: "test")
        try temporary.store.verify("right", of: "BOB@kanzlei.example")
        for (login, password) in [(Self.bob, "wrong"), (Self.bob, ""), (Self.anna, "right")] {
            #expect(throws: StoreError.self) { try temporary.store.verify(password, of: login) }
        }
        try temporary.store.setDisabled(true, login: Self.bob, actor: "test")
        #expect(throws: StoreError.self) { try temporary.store.verify("right", of: Self.bob) }
    }
}

import Access
import Testing

@testable import Store

/// Withdrawals of one side or both, from users and groups.
@Suite struct WithdrawalsTests {
    private static func office() throws -> Office {
        let office = try Office()
        try office.group("g", "anna")
        try office.saved(
            "sales",
            ImportedPermissions(entries: [
                .init(login: Office.full("anna"), rights: "lr", send: "as"),
                .init(login: Office.full("bob"), rights: "lr", send: "as"),
            ])
        )
        return office
    }

    @Test(arguments: ["anna", "group:g"], [Sides.view, .send, .both])
    func `a withdrawal covers its sides, which end separately`(
        subject: String,
        sides: Sides
    ) throws {
        let office = try Self.office()
        func check(_ taken: Sides) throws {
            let access = try office.access(of: "anna", to: "sales")
            #expect(access.coversAccount == (taken.contains(.view) ? [] : .view))
            #expect(access.send == (taken.contains(.send) ? .none : .as))
            // Other users keep their access.
            let other = try office.access(of: "bob", to: "sales")
            #expect(other.coversAccount == .view && other.send == .as)
        }
        try office.withdraw("sales", subject, sides)
        try check(sides)
        var left = sides
        for side in [Sides.view, .send] {
            let refusal = Office.refusal { try office.restore("sales", subject, side) }
            #expect((refusal == nil) == left.contains(side))
            if refusal != nil { #expect(refusal?.contains("nothing of") == true) }
            left.subtract(side)
            try check(left)
        }
        #expect(try office.store.withdrawals(account: nil, subject: nil).isEmpty)
    }

    /// The withdrawn sides, the sides to withdraw, and whether that is accepted.
    @Test(arguments: [
        (Sides.view, Sides.view, false), (.view, .send, true), (.view, .both, true),
        (.both, .view, false), (.both, .both, false), (.send, .view, true),
    ])
    func `withdrawing a withdrawn side is refused`(before: Sides, then: Sides, isNew: Bool) throws {
        let office = try Self.office()
        try office.withdraw("sales", "anna", before)
        let refusal = Office.refusal { try office.withdraw("sales", "anna", then) }
        #expect((refusal == nil) == isNew)
        let rows = try office.store.withdrawals(account: nil, subject: nil)
        #expect(rows.allSatisfy { $0.view != $0.send && $0.source == "local" })
        let taken = rows.reduce(into: Sides()) { $0.formUnion(Sides(view: $1.view, send: $1.send)) }
        #expect(taken == (isNew ? before.union(then) : before))
    }

    @Test func `a remaining side keeps its author`() throws {
        let office = try Self.office()
        try office.withdraw("sales", "anna", .view)
        try office.tamper("UPDATE withdrawal SET author = 'kim', created = 5")
        try office.withdraw("sales", "anna", .send)
        var rows = try office.store.withdrawals(account: nil, subject: nil)
        #expect(rows.map(\.author) == ["kim", "test"] && rows[0].created == 5)
        try office.restore("sales", "anna", .send)
        rows = try office.store.withdrawals(account: nil, subject: nil)
        #expect(rows.map(\.author) == ["kim"])
        #expect(rows.map(\.view) == [true])
    }

    /// The account, the subject, and a part of the refusal.
    @Test(arguments: [
        ("info", "anna", "is an IMAP account"), ("bob", "anna", "is an IMAP account"),
        ("sales", "carl", "cannot be withdrawn"), ("sales", "nobody", "no user"),
        ("sales", "group:nowhere", "no group"), ("nirgends", "anna", "no account"),
    ])
    func `a withdrawal from an owner or on an IMAP account is refused`(
        account: String,
        subject: String,
        says: String
    ) throws {
        let office = try Self.office()
        let refusal = Office.refusal { try office.withdraw(account, subject, .both) }
        #expect(refusal?.contains(says) == true, "\(refusal ?? "not refused")")
        let restoring = Office.refusal { try office.restore(account, subject, .both) }
        #expect(restoring != nil)
        #expect(try office.store.withdrawals(account: nil, subject: nil).isEmpty)
    }

    @Test func `an Exchange denial is listed and cannot be restored here`() throws {
        let office = try Self.office()
        try office.saved(
            "sales",
            ImportedPermissions(
                entries: [.init(login: Office.full("anna"), rights: "lr")],
                denials: [.init(login: Office.full("anna"), view: true, send: false)]
            )
        )
        let rows = try office.store.withdrawals(
            account: Office.full("sales"),
            subject: Office.full("anna")
        )
        #expect(rows.map(\.source) == ["exchange"])
        #expect(try office.access(of: "anna", to: "sales").anywhere == [])
        #expect(Office.refusal { try office.restore("sales", "anna", .view) } != nil)
        // A local withdrawal coexists with it, and remains when Exchange gives the right again.
        try office.withdraw("sales", "anna", .view)
        try office.saved(
            "sales",
            ImportedPermissions(entries: [.init(login: Office.full("anna"), rights: "lr")])
        )
        #expect(try office.access(of: "anna", to: "sales").anywhere == [])
    }

    @Test func `a list filters by account, subject or both`() throws {
        let office = try Self.office()
        try office.temporary.addAccount("zwei", kind: .exchange)
        try office.withdraw("sales", "anna", .view)
        try office.withdraw("sales", "group:g", .send)
        try office.withdraw("zwei", "anna", .both)
        func count(_ account: String?, _ subject: String?) throws -> Int {
            try office.store.withdrawals(
                account: account.map(Office.full),
                subject: subject.map(Office.full)
            ).count
        }
        #expect(try count(nil, nil) == 4 && count("sales", nil) == 2 && count("zwei", nil) == 2)
        #expect(try count(nil, "anna") == 3 && count(nil, "group:g") == 1 && count(nil, "bob") == 0)
        #expect(try count("sales", "anna") == 1 && count("sales", "group:g") == 1)
        #expect(throws: StoreError.self) { try count("nirgends", nil) }
        #expect(throws: StoreError.self) { try count(nil, "nobody") }
    }

    @Test func `a document has only local withdrawals`() throws {
        let office = try Self.office()
        try office.saved(
            "sales",
            ImportedPermissions(denials: [.init(login: Office.full("bob"), view: true, send: true)])
        )
        try office.withdraw("sales", "anna", .view)
        try office.withdraw("sales", "group:g", .both)
        let exported = try #require(try office.store.export().withdrawals)
        #expect(exported.map(\.subject) == [Office.full("anna"), "group:g"])
        var document = ModelDocument()
        document.withdrawals = [
            .init(account: Office.full("sales"), subject: "group:g", view: false, send: true)
        ]
        _ = try office.store.apply(document, dryRun: false, actor: "test")
        #expect(try office.store.export().withdrawals == document.withdrawals)
        // A denial in Exchange is not part of a document, and remains.
        #expect(
            try office.store.withdrawals(account: nil, subject: Office.full("bob")).count == 1
        )
        for (account, view) in [("info", true), ("sales", false)] {
            document.withdrawals = [
                .init(account: Office.full(account), subject: "group:g", view: view, send: false)
            ]
            #expect(throws: StoreError.self) {
                try office.store.apply(document, dryRun: false, actor: "test")
            }
        }
        #expect(try office.store.export().withdrawals?.count == 1)
    }
}

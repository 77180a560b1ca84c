import Access
import Foundation
import Support
import Testing

@testable import Store

/// The store decides with the few rules that it loads; `Access` decides the same with all
/// rules.
@Suite struct RulesTests {
    private static let users = ["anna", "bob", "carl", "dora", "emil"]
    private static let groups = ["g1", "g2", "g3", "g4"]
    private static let accounts = ["bob", "info", "sales", "team"]
    private static let folders = ["Akten", "Akten/Neu", "Aktenberg"]

    private static func office() throws -> Office {
        let office = try Office()
        try office.temporary.addUsers("dora", "emil")
        try office.temporary.addAccount("team", kind: .exchange)
        for group in Self.groups { try office.group(group) }
        return office
    }

    private enum Edit: CaseIterable {
        case join
        case wall
        case removeWall
        case withdraw
        case restore
        case grant
        case share
        case remove
        case decide
    }

    /// The names in one random edit.
    private struct Draw {
        var edit: Edit
        var account: String
        var subject: String
        var group: String
        var sides: Sides
        var rights: Rights
        var scope: Scope
        var folder: FolderPath
        var kind: ACLChange.Kind
        var isStrict: Bool

        init(_ generator: inout some RandomNumberGenerator) throws {
            func any<Value>(_ values: [Value]) throws -> Value {
                try #require(values.randomElement(using: &generator))
            }
            self.edit = try any(Edit.allCases + [.join, .join, .grant, .withdraw])
            self.account = try any(RulesTests.accounts)
            self.group = try any(RulesTests.groups)
            self.subject = try any(RulesTests.users + RulesTests.groups.map { "group:\($0)" })
            self.sides = try any([.view, .send, .both])
            self.rights = try any([.lookup, .view, .edit, [.seen, .write]])
            self.folder = try Office.path(try any(RulesTests.folders))
            self.scope = try any([.account, .folder(self.folder), .subtree(self.folder)])
            self.kind = try any([.replace, .add, .remove])
            self.isStrict = try any([true, false])
        }
    }

    @Test(arguments: 1...12)
    func `each random edit agrees with Access on the whole model`(seed: UInt64) throws {
        let office = try Self.office()
        var generator = Seeded(state: seed)
        for step in 0..<45 {
            let draw = try Draw(&generator)
            let before = try office.store.load().access
            let expected = try Self.expected(draw, office, in: before)
            let told = try Self.perform(draw, office)
            let place = "step \(step) of seed \(seed): \(draw.edit) \(draw.account) \(draw.subject)"
            #expect(told == expected, "\(place)")
            let after = try office.store.load().access
            if told == nil { try Self.checkEffect(draw, office, before, after: after, place) }
            try Self.checkLists(office, draw.subject, in: after, place)
        }
    }

    // MARK: - Decisions of Access

    /// - Returns: The refusal; nil if there is none.
    private static func expected(
        _ draw: Draw,
        _ office: Office,
        in all: Snapshot
    ) throws -> String? {
        let account = try office.account(draw.account, in: all)
        let subject = try office.subject(draw.subject, in: all)
        let name = Office.full(draw.account)
        func text(_ edit: RefusedEdit, _ body: () throws(EditRefusal) -> Void) -> String? {
            do {
                try body()
                return nil
            } catch {
                let full = Office.full(draw.subject)
                return "\(StoreError(error, of: edit, account: name, subject: full))"
            }
        }
        switch draw.edit {
        case .join:
            guard case .group(let group) = try office.subject("group:\(draw.group)", in: all)
            else { return nil }
            return text(.member(of: draw.group)) { () throws(EditRefusal) in
                try all.requireMember(subject, of: group)
            }
        case .wall:
            return text(.wall) { () throws(EditRefusal) in
                try all.requireWall(subject, at: account)
            }
        case .removeWall:
            let walls = all.walls(barring: subject, from: account)
            return walls.contains { $0.subject == subject }
                ? nil
                : "no wall bars \(Office.full(draw.subject)) from \(name): gatepost wall list"
        case .withdraw:
            return text(.withdrawal) { () throws(EditRefusal) in
                _ = try all.withdrawing(draw.sides, from: subject, on: account)
            }
        case .restore:
            return text(.restoring) { () throws(EditRefusal) in
                _ = try all.restoring(draw.sides, to: subject, on: account)
            }
        case .grant:
            return text(.grant) { () throws(EditRefusal) in
                try all.requireGrants(from: .local, on: account)
            }
        case .share:
            return try Self.expectedShare(draw, office, in: all)
        case .remove:
            guard draw.subject.hasPrefix("group:") else { return "not tried" }
            return text(.removal(all, isUser: false)) { () throws(EditRefusal) in
                try all.requireRemovable(subject)
            }
        case .decide:
            return try Self.waiting(draw, office, in: all) == nil ? "not tried" : nil
        }
    }

    private static func expectedShare(
        _ draw: Draw,
        _ office: Office,
        in all: Snapshot
    ) throws -> String? {
        let change = try Self.change(draw, office, in: all)
        let subject = try office.subject(draw.subject, in: all)
        do {
            _ = try all.edit(for: change, subject: subject, at: .current)
            return nil
        } catch .failed {
            return "the account has another owner, or is on Exchange"
        } catch {
            return "\(error)"
        }
    }

    private static func change(
        _ draw: Draw,
        _ office: Office,
        in all: Snapshot
    ) throws -> ACLChange {
        let account = try office.account(draw.account, in: all)
        return ACLChange(
            owner: try all.accounts[account]?.owner ?? office.user("anna", in: all),
            account: account,
            folder: draw.folder,
            identifier: Array(Office.full(draw.subject).utf8),
            kind: draw.kind,
            rights: draw.rights
        )
    }

    /// The first grant that waits for the account's owner.
    private static func waiting(
        _ draw: Draw,
        _ office: Office,
        in all: Snapshot
    ) throws -> (grant: Grant, owner: String)? {
        let account = try office.account(draw.account, in: all)
        guard let owner = all.accounts[account]?.owner, let login = all.users[owner]?.login,
            let grant = all.grants(awaiting: owner).first
        else { return nil }
        return (grant, login.description)
    }

    // MARK: - Edits of the store

    private static func perform(_ draw: Draw, _ office: Office) throws -> String? {
        let (account, subject) = (Office.full(draw.account), Office.full(draw.subject))
        let all = try office.store.load().access
        switch draw.edit {
        case .join:
            return Office.refusal {
                try office.store.join([subject], to: draw.group, actor: "test")
            }
        case .wall:
            return Office.refusal { try office.wall(draw.account, draw.subject) }
        case .removeWall:
            return Office.refusal {
                try office.store.removeWall(account: account, subject: subject, actor: "test")
            }
        case .withdraw:
            return Office.refusal { try office.withdraw(draw.account, draw.subject, draw.sides) }
        case .restore:
            return Office.refusal { try office.restore(draw.account, draw.subject, draw.sides) }
        case .grant:
            return Office.refusal {
                try office.grant(
                    draw.account,
                    draw.subject,
                    draw.rights,
                    scope: draw.scope,
                    consent: draw.isStrict ? .required : .off
                )
            }
        case .share:
            let change = try Self.change(draw, office, in: all)
            do {
                let outcome = try office.store.share(change, from: nil)
                return outcome == .done ? nil : "\(outcome)"
            } catch {
                return "\(error)"
            }
        case .remove:
            guard subject.hasPrefix("group:") else { return "not tried" }
            let refusal = Office.refusal {
                try office.store.removeGroup(String(subject.dropFirst(6)), actor: "test")
            }
            // Later steps use the name again.
            if refusal == nil { try office.group(String(subject.dropFirst(6))) }
            return refusal
        case .decide:
            guard let (grant, owner) = try Self.waiting(draw, office, in: all) else {
                return "not tried"
            }
            return Office.refusal { try office.store.confirmGrant(grant.id, owner: owner) }
        }
    }

    private static func checkEffect(
        _ draw: Draw,
        _ office: Office,
        _ before: Snapshot,
        after: Snapshot,
        _ place: String
    ) throws {
        let account = try office.account(draw.account, in: before)
        let subject = try office.subject(draw.subject, in: before)
        switch draw.edit {
        case .wall, .removeWall:
            let walls = after.walls(barring: subject, from: account).map(\.subject)
            #expect(walls.contains(subject) == (draw.edit == .wall), "\(place)")
        case .withdraw:
            let sides = try before.withdrawing(draw.sides, from: subject, on: account)
            #expect(after.sidesWithdrawn(from: subject, on: account).isSuperset(of: sides))
        case .restore:
            // Remaining withdrawals can be restored, and others cannot.
            let left = try before.restoring(draw.sides, to: subject, on: account)
            let refusal = Office.refusal {
                try after.restoring(draw.sides, to: subject, on: account)
            }
            #expect(refusal != nil, "\(place)")
            if !left.isEmpty { _ = try after.restoring(left, to: subject, on: account) }
        case .grant:
            let grant = Grant(
                id: 0,
                account: account,
                subject: subject,
                rights: draw.rights,
                scope: draw.scope
            )
            let asks = draw.isStrict && before.needsConsent(grant)
            let owner = before.accounts[account]?.owner
            let waiting = owner.map { after.grants(awaiting: $0) } ?? []
            let isWaiting = waiting.contains {
                $0.account == account && $0.subject == subject && $0.scope == draw.scope
                    && $0.rights == draw.rights
            }
            if asks { #expect(isWaiting, "\(place)") }
        case .share:
            guard case .user(let user) = subject else { return }
            let change = try Self.change(draw, office, in: before)
            let edit = try before.edit(for: change, subject: subject, at: .current)
            let given = after.access(of: user, to: account, at: .current).rights(in: draw.folder)
            let isKeptOut =
                !after.walls(barring: subject, from: account).isEmpty
                || after.sidesWithdrawn(from: subject, on: account).contains(.view)
            #expect(isKeptOut || given.isSuperset(of: edit.result), "\(place)")
        case .decide:
            guard let (grant, _) = try Self.waiting(draw, office, in: before) else { return }
            let owner = try #require(before.accounts[grant.account]?.owner)
            #expect(!after.grants(awaiting: owner).contains { $0.id == grant.id }, "\(place)")
        case .join, .remove:
            break
        }
    }

    /// Marks of grants, notes about walls and pending grants equal those of the whole model.
    private static func checkLists(
        _ office: Office,
        _ subject: String,
        in all: Snapshot,
        _ place: String
    ) throws {
        for row in try office.store.grants(account: nil, subject: nil) {
            let withdrawn = all.sidesWithdrawn(
                from: try office.subject(row.subject, in: all),
                on: try office.account(row.account, in: all)
            )
            let given = Sides(view: !row.rights.isEmpty, send: row.send != "none")
            let words = withdrawn.intersection(given).words
            #expect((row.withdrawn ?? "") == words, "\(place): \(row)")
        }
        for account in Self.accounts {
            let rows = try office.store.walls(
                barring: Office.full(subject),
                from: Office.full(account)
            ).map(\.subject)
            let walls = all.walls(
                barring: try office.subject(subject, in: all),
                from: try office.account(account, in: all)
            )
            #expect(Set(rows) == Set(walls.compactMap { all.name(of: $0.subject) }), "\(place)")
        }
        for user in Self.users {
            let rows = try office.store.pendingGrants(owner: Office.full(user)).map(\.id)
            let waiting = all.grants(awaiting: try office.user(user, in: all)).map(\.id)
            #expect(Set(rows) == Set(waiting), "\(place)")
        }
    }

    // MARK: - Loading

    private static func loaded(
        _ office: Office,
        _ accounts: [String],
        about subjects: [String]
    ) throws -> Snapshot {
        let all = try office.store.load().access
        let keys = try accounts.map { try office.account($0, in: all).rawValue }
        let named = Set(try subjects.map { try office.subject($0, in: all) })
        return try office.store.read { try $0.rules(on: keys, about: named) }
    }

    @Test func `only the rules of the given accounts and subjects are loaded`() throws {
        let office = try Self.office()
        try office.store.join([Office.full("anna"), "group:g2"], to: "g1", actor: "test")
        try office.store.join([Office.full("carl")], to: "g2", actor: "test")
        for subject in ["anna", "dora", "group:g1", "group:g2", "group:g3"] {
            try office.grant("bob", subject)
            try office.grant("info", subject)
            try office.wall("info", subject)
        }
        let rules = try Self.loaded(office, ["info"], about: ["carl"])
        #expect(rules.accounts.count == 1)
        // Carl is loaded, and no owner: the account has none.
        #expect(rules.users.values.map(\.login.description) == ["carl@kanzlei.example"])
        #expect(Set(rules.groups.values.map(\.name)) == ["g1", "g2"])
        // Of the outer group, only the member on the path is loaded; Anna, who is also in it,
        // is not.
        let outer = try #require(rules.groups.values.first { $0.name == "g1" })
        #expect(outer.members.count == 1)
        let info = try office.account("info", in: rules)
        let carl = try office.user("carl", in: rules)
        let barring = rules.walls(barring: .user(carl), from: info).compactMap {
            rules.name(of: $0.subject)
        }
        #expect(Set(barring) == ["group:g1", "group:g2"])
        // The owner is loaded with the account.
        let owned = try Self.loaded(office, ["bob"], about: ["dora"])
        #expect(
            Set(owned.users.values.map(\.login.description))
                == ["bob@kanzlei.example", "dora@kanzlei.example"]
        )
        #expect(owned.groups.isEmpty)
    }

    @Test func `the loaded rules decide like the whole model`() throws {
        let office = try Self.office()
        try office.store.join([Office.full("anna")], to: "g1", actor: "test")
        try office.store.join(["group:g1"], to: "g2", actor: "test")
        try office.store.join([Office.full("dora")], to: "g3", actor: "test")
        try office.grant("bob", "group:g2", .edit)
        try office.grant("bob", "group:g3", .manage)
        try office.grant("bob", "dora", .view, send: .as)
        try office.wall("bob", "group:g3")
        try office.saved(
            "sales",
            ImportedPermissions(entries: [
                .init(login: Office.full("anna"), rights: "lr", send: "as"),
                .init(login: nil, rights: "l", folder: "Akten"),
            ]),
            confirmsEveryone: true
        )
        try office.withdraw("sales", "group:g2", .send)
        let all = try office.store.load().access
        for user in Self.users {
            for account in Self.accounts {
                let part = try Self.loaded(office, [account], about: [user])
                let (person, box) = (
                    try office.user(user, in: all), try office.account(account, in: all)
                )
                // A rule for everyone names no subject.
                if account == "sales", user != "anna" { continue }
                let (whole, loaded) = (
                    all.access(of: person, to: box, at: .current),
                    part.access(of: person, to: box, at: .current)
                )
                #expect(whole.send == loaded.send && whole.isOwner == loaded.isOwner)
                #expect(whole.coversAccount == loaded.coversAccount, "\(user) \(account)")
            }
        }
    }

    @Test func `deeply nested groups are found`() throws {
        let office = try Self.office()
        try office.group("outermost", "group:g4")
        for (outer, inner) in [("g4", "g3"), ("g3", "g2"), ("g2", "g1")] {
            try office.store.join(["group:\(inner)"], to: outer, actor: "test")
        }
        try office.store.join([Office.full("anna")], to: "g1", actor: "test")
        try office.wall("info", "group:outermost")
        for subject in ["anna", "group:g1", "group:g3", "group:outermost"] {
            let walls = try office.store.walls(
                barring: Office.full(subject),
                from: Office.full("info")
            )
            #expect(walls.map(\.subject) == ["group:outermost"], "\(subject)")
        }
        #expect(
            try office.store.walls(barring: Office.full("bob"), from: Office.full("info")).isEmpty
        )
        let refusal = Office.refusal {
            try office.store.join(["group:outermost"], to: "g1", actor: "test")
        }
        #expect(refusal?.contains("inside itself") == true)
    }

    @Test func `a wall against a group bars its members`() throws {
        let office = try Self.office()
        try office.store.join([Office.full("anna"), Office.full("dora")], to: "g1", actor: "test")
        try office.store.join([Office.full("dora"), Office.full("emil")], to: "g2", actor: "test")
        try office.grant("info", "group:g1", .edit)
        try office.wall("info", "group:g2")
        #expect(try office.access(of: "anna", to: "info").coversAccount == .edit)
        #expect(try office.access(of: "dora", to: "info").anywhere == [])
        #expect(try office.access(of: "emil", to: "info").anywhere == [])
        // The wall does not bar the other group as a group.
        #expect(
            try office.store.walls(barring: "group:g1", from: Office.full("info")).isEmpty
        )
        #expect(
            try office.store.walls(barring: Office.full("dora"), from: Office.full("info")).count
                == 1
        )
    }
}

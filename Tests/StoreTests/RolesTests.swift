import Access
import Foundation
import Store
import Testing

/// Roles, and operating-system names.
@Suite struct RolesTests {
    /// The user's role, and the role that a command needs.
    @Test(
        arguments: [
            (.administrator, .administrator, true), (.administrator, .settings, true),
            (.settings, .settings, true), (.settings, .administrator, false),
            (nil, .settings, false), (nil, .administrator, false),
        ] as [(Role?, Role, Bool)]
    )
    func `a role permits what it includes`(
        role: Role?,
        needed: Role,
        isEnough: Bool
    ) throws {
        let office = try Office()
        let anna = Office.full("anna")
        try office.store.setRole(role, osUser: "anna", of: anna, actor: "test")
        let actor = Actor(name: "anna", userID: 54_321)
        let refusal = Office.refusal { try office.store.requireRole(needed, actor: actor) }
        #expect((refusal == nil) == isEnough, "\(refusal ?? "enough")")
        let records = try office.store.auditEntries().filter { $0.record.outcome == .refused }
        #expect(records.count == (isEnough ? 0 : 1))
        #expect(records.allSatisfy { $0.record.because == ["no role that is enough"] })
    }

    @Test(arguments: ["bob", "ANNA", "anna ", "", "Anna"])
    func `an operating-system name without an exact match has no role`(name: String) throws {
        let office = try Office()
        try office.store.setRole(
            .administrator,
            osUser: "anna",
            of: Office.full("anna"),
            actor: "test"
        )
        #expect(throws: StoreError.self) {
            try office.store.requireRole(.settings, actor: Actor(name: name, userID: 54_321))
        }
        #expect(try office.store.login(ofOSUser: name) == nil)
        #expect(try office.store.login(ofOSUser: "anna") == Office.full("anna"))
    }

    @Test func `sudo keeps the original user's role`() throws {
        let office = try Office()
        try office.store.setRole(.settings, osUser: "anna", of: Office.full("anna"), actor: "test")
        // Root through sudo is root; any other user through sudo keeps the original name.
        try office.store.requireRole(
            .administrator,
            actor: Actor(name: "root", userID: 0, original: "mallory")
        )
        try office.store.requireRole(
            .settings,
            actor: Actor(name: "bob", userID: 54_321, original: "anna")
        )
        #expect(throws: StoreError.self) {
            try office.store.requireRole(
                .settings,
                actor: Actor(name: "anna", userID: 54_321, original: "mallory")
            )
        }
        let refused = try #require(
            try office.store.auditEntries().last { $0.record.outcome == .refused }
        )
        #expect(refused.record.actor == "mallory as anna")
    }

    @Test func `an operating-system name belongs to one user`() throws {
        let office = try Office()
        let (anna, bob) = (Office.full("anna"), Office.full("bob"))
        try office.store.setRole(.settings, osUser: "kim", of: anna, actor: "test")
        let refusal = Office.refusal {
            try office.store.setRole(nil, osUser: "kim", of: bob, actor: "test")
        }
        #expect(refusal == "the operating-system user kim is \(anna) already")
        // Setting it again changes nothing; an empty name is refused; `none` removes the name.
        try office.store.setRole(.settings, osUser: "kim", of: anna, actor: "test")
        #expect(
            Office.refusal { try office.store.setRole(nil, osUser: "", of: anna, actor: "test") }
                == "--os-user NAME, or none"
        )
        try office.store.setRole(nil, osUser: nil, of: anna, actor: "test")
        #expect(try office.store.user(anna).osUser == "kim")
        #expect(try office.store.user(anna).role == nil)
        try office.store.setRole(nil, osUser: "none", of: anna, actor: "test")
        #expect(try office.store.user(anna).osUser == nil)
        try office.store.setRole(.administrator, osUser: "kim", of: bob, actor: "test")
        #expect(try office.store.login(ofOSUser: "kim") == bob)
    }

    @Test func `a document can exchange the operating-system names of users`() throws {
        let office = try Office()
        try office.store.setRole(.settings, osUser: "kim", of: Office.full("anna"), actor: "test")
        var document = ModelDocument()
        document.users = try office.store.users().map { row in
            var row = row
            row.osUser = row.login == Office.full("bob") ? "kim" : nil
            row.role = row.login == Office.full("bob") ? "administrator" : nil
            return row
        }
        _ = try office.store.apply(document, dryRun: false, actor: "test")
        #expect(try office.store.login(ofOSUser: "kim") == Office.full("bob"))
        #expect(try office.store.user(Office.full("anna")).role == nil)
        document.users?[0].role = "root"
        let refusal = Office.refusal {
            try office.store.apply(document, dryRun: false, actor: "test")
        }
        #expect(refusal?.contains("must be administrator, settings or null") == true)
        document.users?[0].role = nil
        document.users?[0].osUser = "kim"
        #expect(throws: StoreError.self) {
            try office.store.apply(document, dryRun: false, actor: "test")
        }
    }

    @Test func `the recorded actor includes the original user`() {
        #expect(Actor(name: "anna", userID: 1).recorded == "anna")
        #expect(Actor(name: "root", userID: 0, original: "anna").recorded == "anna as root")
    }
}

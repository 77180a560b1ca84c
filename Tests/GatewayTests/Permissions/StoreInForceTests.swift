import Access
import Foundation
import Synchronization
import Testing

@testable import Gateway
@testable import Store

/// What counts for sessions: the last that was read, and owners alone while something is in doubt.
@Suite struct StoreInForceTests {
    private static func bench() throws -> (StoreFixture, CurrentPermissions, StoreInForce) {
        let fixture = try StoreFixture()
        try fixture.grant("bob", to: "anna")
        let permissions = try fixture.permissions()
        return (fixture, permissions, StoreInForce(fixture.store, permissions: permissions))
    }

    private static func sees(
        _ permissions: CurrentPermissions,
        _ fixture: StoreFixture
    ) throws -> Bool {
        permissions.current.access.access(
            of: try fixture.user("anna"),
            to: try fixture.account("bob"),
            at: .current
        ).isVisible
    }

    @Test func `the state has the file, its name and the revision in force`() throws {
        let (fixture, permissions, store) = try Self.bench()
        let state = store.state
        #expect(state.store == fixture.store.file && state.store != nil)
        #expect(state.name == "gatepost.sqlite")
        #expect(state.revision == permissions.current.access.revision)
        #expect(state.problem == nil && state.waiting == nil)
    }

    @Test(arguments: [
        ("/var/lib/gatepost.sqlite", "gatepost.sqlite"), ("gatepost.sqlite", "gatepost.sqlite"),
        ("/a/b/c.db", "c.db"), ("", ""), ("/", ""),
    ])
    func `the name is the last part of the path`(path: String, name: String) {
        #expect(GatewayState.name(path) == name)
        let state = GatewayState(store: nil, name: name, revision: 1)
        #expect(state.isStore(path))
        #expect(!state.isStore("/elsewhere/other.sqlite"))
    }

    @Test func `a published snapshot is in force, and an older revision is ignored`() throws {
        let (fixture, permissions, store) = try Self.bench()
        let old = try fixture.store.load()
        _ = try fixture.store.removeGrants(
            account: StoreFixture.address("bob"),
            subject: StoreFixture.address("anna"),
            view: true,
            send: true,
            actor: "test"
        )
        #expect(try Self.sees(permissions, fixture))
        #expect(!store.publish(try fixture.store.load()))
        #expect(try !Self.sees(permissions, fixture))
        #expect(!store.publish(old))
        #expect(try !Self.sees(permissions, fixture), "what was taken away came back")
    }

    @Test func `a refused store leaves access to owners only until the next snapshot`() throws {
        let (fixture, permissions, store) = try Self.bench()
        let refusal = StoreRefusal("the file lacks changes")
        store.refuse(refusal)
        #expect(try !Self.sees(permissions, fixture))
        #expect(store.state.problem == "the file lacks changes")
        #expect(permissions.isRestricted(by: .store))
        let own = permissions.current.access.access(
            of: try fixture.user("anna"),
            to: try fixture.account("anna"),
            at: .current
        )
        #expect(own.isVisible)
        _ = store.publish(try fixture.store.load())
        permissions.restrict(.store, isInForce: false)
        #expect(store.state.problem == nil)
        #expect(try Self.sees(permissions, fixture))
    }

    @Test func `an unwritable audit log is the reported problem unless the store is refused`()
        throws
    {
        let (fixture, permissions, store) = try Self.bench()
        permissions.restrict(.auditLog, isInForce: true)
        #expect(store.state.problem?.contains("the audit log cannot be written") == true)
        #expect(try !Self.sees(permissions, fixture))
        store.refuse(StoreRefusal("gone"))
        #expect(store.state.problem == "gone")
        permissions.restrict(.store, isInForce: false)
        #expect(try !Self.sees(permissions, fixture), "the log is still not written")
        permissions.restrict(.auditLog, isInForce: false)
        #expect(try Self.sees(permissions, fixture))
    }
}

/// Restrictions and changes that come at once.
@Suite struct CurrentPermissionsChangeTests {
    @Test func `a restriction that was set twice is lifted once`() throws {
        let permissions = try StoreFixture().permissions()
        #expect(permissions.restrict(.store, isInForce: true))
        #expect(!permissions.restrict(.store, isInForce: true))
        #expect(permissions.isRestricted(by: .store) && !permissions.isRestricted(by: .auditLog))
        #expect(permissions.restrict(.store, isInForce: false))
        #expect(!permissions.restrict(.store, isInForce: false))
        #expect(!permissions.isRestricted(by: .store))
    }

    @Test func `permissions without sharing are built once for each snapshot`() throws {
        let fixture = try StoreFixture()
        let made = Mutex(0)
        let first = try fixture.store.load()
        let permissions = CurrentPermissions(first) { snapshot in
            made.withLock { $0 += 1 }
            return snapshot.withoutSharing
        }
        #expect(permissions.current === first && made.withLock { $0 } == 0)
        permissions.restrict(.store, isInForce: true)
        #expect(permissions.current !== first && made.withLock { $0 } == 1)
        try fixture.grant("bob", to: "anna")
        permissions.replace(with: try fixture.store.load())
        #expect(made.withLock { $0 } == 2)
        permissions.restrict(.store, isInForce: false)
        #expect(made.withLock { $0 } == 2)
        #expect(permissions.current.access.revision == (try fixture.store.load()).access.revision)
    }

    @Test func `of concurrent snapshots the newest stays in force`() async throws {
        let fixture = try StoreFixture()
        var snapshots = [try fixture.store.load()]
        for number in 0..<20 {
            try fixture.store.addGroup("g\(number)", actor: "test")
            snapshots.append(try fixture.store.load())
        }
        let permissions = CurrentPermissions(snapshots[0])
        await withTaskGroup(of: Void.self) { group in
            for snapshot in snapshots.shuffled() {
                group.addTask {
                    permissions.replace(with: snapshot)
                    permissions.restrict(.auditLog, isInForce: true)
                    permissions.restrict(.auditLog, isInForce: false)
                }
            }
        }
        #expect(permissions.current === snapshots.last)
    }
}

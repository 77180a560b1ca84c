import Access
import Testing

@testable import Store

/// Who has to evaluate decisions anew after a change.
@Suite struct SnapshotHistoryTests {
    private static let (anna, bob) = (UserID(1), UserID(2))

    @Test func `only the users of the steps since a revision are affected`() {
        let start = SnapshotHistory()
        var history = start
        history.append(from: 5, to: 6, affected: .some([Self.anna]))
        let middle = history
        history.append(from: 6, to: 9, affected: .some([Self.bob]))
        #expect(history.mayAffect(Self.anna, since: 5, of: start))
        #expect(!history.mayAffect(Self.anna, since: 6, of: middle))
        #expect(history.mayAffect(Self.bob, since: 6, of: middle))
        // In the middle of a step, the whole step counts.
        #expect(history.mayAffect(Self.bob, since: 8, of: middle))
        #expect(!history.mayAffect(Self.bob, since: 9, of: history))
        history.append(from: 9, to: 10, affected: .all)
        #expect(history.mayAffect(Self.anna, since: 9, of: middle))
    }

    @Test func `an earlier revision than the steps, and another epoch, affect everybody`() {
        var history = SnapshotHistory()
        #expect(history.mayAffect(Self.anna, since: 4, of: history))
        history.append(from: 5, to: 6, affected: .some([]))
        #expect(history.mayAffect(Self.anna, since: 4, of: history))
        #expect(!history.mayAffect(Self.anna, since: 5, of: history))
        #expect(history.mayAffect(Self.anna, since: 5, of: SnapshotHistory()))
        for revision in Int64(6)..<100 {
            history.append(from: revision, to: revision + 1, affected: .some([]))
        }
        #expect(history.mayAffect(Self.anna, since: 20, of: history))
        #expect(!history.mayAffect(Self.anna, since: 90, of: history))
    }

    @Test func `a snapshot differs for the users of a change, and for everybody without sharing`()
        throws
    {
        let office = try Office()
        let before = try office.store.load()
        try office.grant("bob", "anna")
        let next = try #require(try office.store.read { try $0.snapshot(after: before) })
        let anna = try office.user("anna", in: before.access)
        let carl = try office.user("carl", in: before.access)
        #expect(next.mayDiffer(for: anna, from: before))
        #expect(!next.mayDiffer(for: carl, from: before))
        #expect(next.withoutSharing.mayDiffer(for: carl, from: next))
        #expect(next.mayDiffer(for: carl, from: next.withoutSharing))
        #expect(next.withoutHistory.mayDiffer(for: carl, from: next))
        #expect(try office.store.load().mayDiffer(for: carl, from: next))
        try office.store.setPassword("other", of: "carl@kanzlei.example", actor: "test")
        let last = try #require(try office.store.read { try $0.snapshot(after: next) })
        #expect(last.mayDiffer(for: carl, from: next))
        #expect(!last.mayDiffer(for: anna, from: next))
        #expect(last.mayDiffer(for: anna, from: before))
    }
}

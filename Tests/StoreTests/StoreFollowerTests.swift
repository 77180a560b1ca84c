import Access
import Foundation
import Store
import Testing

/// The detection of a silent store, and the results of following a store.
@Suite struct StoreFollowerTests {
    private static let start = ContinuousClock.now

    private static func at(_ milliseconds: Int) -> ContinuousClock.Instant {
        self.start + .milliseconds(milliseconds)
    }

    /// Events and their times: `a` an answer, `e` the end of a look, `l` the end of a look that
    /// took longer than the silence, `c` a check; and the report of each.
    static let rows: [([(Character, Int)], [String])] = [
        ([("c", 0), ("c", 1_000)], ["", ""]), ([("c", 1_001), ("c", 1_002)], ["silent", ""]),
        ([("a", 900), ("c", 1_001), ("c", 1_900)], ["", "", ""]),
        ([("a", 900), ("c", 1_901)], ["", "silent"]),
        ([("e", 900), ("c", 1_800), ("c", 1_901)], ["was heard", "", "silent"]),
        ([("c", 1_500), ("e", 1_600), ("c", 1_700)], ["silent", "was silent", ""]),
        ([("c", 1_500), ("a", 1_600), ("c", 9_000)], ["silent", "", ""]),
        (
            [("c", 1_500), ("e", 1_600), ("c", 2_601), ("e", 2_700)],
            ["silent", "was silent", "silent", "was silent"]
        ),
        ([("l", 1_500), ("c", 1_600)], ["was heard", ""]),
        (
            [("c", 1_500), ("l", 1_600), ("c", 9_000), ("e", 9_100), ("c", 9_200)],
            ["silent", "lasts", "", "was silent", ""]
        ),
    ]

    @Test(arguments: rows.indices)
    func `a silence is reported once and ends with a look`(index: Int) {
        let (events, expected) = Self.rows[index]
        let watch = StoreWatch(silence: .seconds(1), from: Self.at(0))
        var told: [String] = []
        for (event, time) in events {
            var text = ""
            switch event {
            case "a": watch.answered(at: Self.at(time))
            case "e", "l":
                let start = Self.at(event == "e" ? time : time - 1_001)
                let isCurrent = watch.lookEnded(from: start, at: Self.at(time)) {
                    text = $0 ? "was silent" : "was heard"
                }
                if !isCurrent { text = "lasts" }
            default: watch.check(at: Self.at(time)) { _ in text = "silent" }
            }
            told.append(text)
        }
        #expect(told == expected)
    }

    @Test(.timeLimit(.minutes(20))) func `the end of a grant is published without any edit`()
        async throws
    {
        let office = try Office()
        try office.store.addGrant(
            GrantRequest(
                account: Office.full("info"),
                subject: Office.full("anna"),
                rights: .view,
                send: .none,
                until: Moment(seconds: Moment.current.seconds + 2)
            ),
            actor: "test"
        )
        let store = try office.temporary.reopened()
        var changes = store.changes(
            every: .milliseconds(20),
            silence: .seconds(3_600),
            masterKey: office.temporary.masterKey
        ).makeAsyncIterator()
        let first = try #require(await changes.next()?.published)
        let second = try #require(await changes.next()?.published)
        #expect(first.access.revision == second.access.revision)
        #expect(!first.isOlder(than: second) && !second.isOlder(than: first))
        #expect(second.access.nextExpiry(after: .current) == nil)
    }

    @Test(.timeLimit(.minutes(20))) func `a snapshot is older than each later one`()
        async throws
    {
        let office = try Office()
        let store = try office.temporary.reopened()
        var changes = store.changes(
            every: .milliseconds(20),
            silence: .seconds(3_600),
            masterKey: office.temporary.masterKey
        ).makeAsyncIterator()
        let first = try #require(await changes.next()?.published)
        try office.grant("info", "anna", .edit)
        let second = try #require(await changes.next()?.published)
        #expect(first.isOlder(than: second) && !second.isOlder(than: first))
        // Without sharing, owners keep their own accounts and others have no access.
        let (anna, bob) = (
            try office.user("anna", in: second.access), try office.user("bob", in: second.access)
        )
        let (info, own) = (
            try office.account("info", in: second.access),
            try office.account("bob", in: second.access)
        )
        let alone = second.withoutSharing
        #expect(second.access.access(of: anna, to: info, at: .current).anywhere == .edit)
        #expect(alone.access.access(of: anna, to: info, at: .current).anywhere == [])
        #expect(alone.access.access(of: bob, to: own, at: .current).isOwner)
        #expect(alone.endpoints.count == second.endpoints.count)
        #expect(!alone.isOlder(than: second) && !second.isOlder(than: alone))
    }
}

import Access
import Foundation
import Support
import Testing

@testable import Store

/// The grants of a document that are looked for in the store.
@Suite struct WantedGrantsTests {
    private static func key(_ account: Int64, _ subject: Int64, _ reason: String? = nil) -> GrantKey
    {
        GrantKey(
            account: account,
            subject: .user(UserID(subject)),
            folder: nil,
            isSubtree: false,
            rights: "lr",
            send: "none",
            until: nil,
            reason: reason.map(ExactText.init)
        )
    }

    @Test func `a grant is found once, wherever the others of its account are`() {
        var wanted = WantedGrants()
        let inserted = [(1, 1), (2, 1), (1, 2), (1, 1), (1, 2)].map { account, subject in
            wanted.insert(Self.key(account, subject))
        }
        #expect(inserted == [true, true, true, false, false])
        let missing = [Self.key(3, 1), Self.key(1, 1, "other")].map { wanted.remove($0) }
        #expect(missing == [false, false])
        let second = [1, 2].map { _ in wanted.remove(Self.key(1, 2)) }
        #expect(second == [true, false])
        #expect(wanted.accounts == [1, 2])
        let first = [1, 2].map { _ in wanted.remove(Self.key(1, 1)) }
        #expect(first == [true, false])
        #expect(wanted.accounts == [2])
    }

    @Test func `the result is that of a set`() {
        var generator = Seeded(state: 3)
        for _ in 0..<300 {
            var (wanted, model) = (WantedGrants(), Set<GrantKey>())
            // Few accounts, so that some have more grants than are searched one by one.
            let accounts = Int64.random(in: 1...6, using: &generator)
            let isSorted = Bool.random(using: &generator)
            var keys = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                Self.key(
                    Int64.random(in: 1...accounts, using: &generator),
                    Int64.random(in: 1...60, using: &generator)
                )
            }
            if isSorted { keys.sort { $0.account < $1.account } }
            for key in keys {
                let (one, other) = (wanted.insert(key), model.insert(key).inserted)
                #expect(one == other)
            }
            for _ in 0..<200 {
                let key = Self.key(
                    Int64.random(in: 1...accounts, using: &generator),
                    Int64.random(in: 1...60, using: &generator)
                )
                let (one, other) = (wanted.remove(key), model.remove(key) != nil)
                #expect(one == other)
            }
            #expect(wanted.accounts == Set(model.map(\.account)))
        }
    }

    @Test(.timeLimit(.minutes(2))) func `one account with many grants takes linear time`() {
        var wanted = WantedGrants()
        let inserted = (0..<100_000).count { wanted.insert(Self.key(1, $0)) }
        let removed = (0..<100_000).reversed().count { wanted.remove(Self.key(1, $0)) }
        #expect(inserted == 100_000 && removed == 100_000)
        #expect(wanted.accounts.isEmpty)
    }
}

import Access
import Foundation
import Testing

@testable import Store

/// The few rules that a command reads, against the whole store.
@Suite struct ExplanationTests {
    private static let now = Moment(seconds: 1_796_040_000)

    private static func address(_ text: String) throws -> Address {
        try #require(Address(text.utf8))
    }

    /// Everything that `explain` prints of a decision.
    private static func answer(
        _ snapshot: Snapshot,
        _ login: Address,
        _ address: Address,
        _ folder: FolderPath?
    ) -> [String] {
        let user = snapshot.user(login: login)
        let account = snapshot.account(address: address)
        guard let user, let account else { return ["\(user == nil) \(account == nil)"] }
        let verdict = snapshot.verdict(
            user: user.id,
            account: account.id,
            folder: folder,
            at: Self.now
        )
        let paths = verdict.because.map { reason in
            guard case .grant(_, let path) = reason else { return "" }
            return path.map { snapshot.name(of: .group($0)) ?? "?" }.joined(separator: " ")
        }
        return [
            "\(user) \(account)", "\(verdict)", verdict.because.map(snapshot.text).joined(),
            "\(paths)",
        ]
    }

    @Test(arguments: 1...24)
    func `a decision of the rules of one user and account is that of the whole store`(
        seed: UInt64
    ) throws {
        let model = try RandomModel(seed: seed)
        let whole = try model.store.load().access
        let folders = try [nil] + RandomModel.folders.map { try Office.path($0) }
        for login in RandomModel.users + ["nobody@kanzlei.example"] {
            let login = try Self.address(login)
            for text in RandomModel.accounts + RandomModel.aliases + ["no@kanzlei.example"] {
                let address = try Self.address(text)
                let few = try model.store.explanation(of: login, account: address)
                for folder in folders {
                    #expect(
                        Self.answer(few.snapshot, login, address, folder)
                            == Self.answer(whole, login, address, folder),
                        "\(login) \(address) \(folder?.description ?? "")"
                    )
                }
                guard let user = whole.user(login: login) else { continue }
                let names = Set(whole.names(of: user.id))
                let all = try? model.store.grants(account: text, subject: nil)
                #expect(few.grants == (all ?? []).filter { names.contains($0.subject) })
            }
        }
    }

    /// The rows of a review: what is decided for each account and user.
    private static func rows(_ review: AccessReview) -> [String] {
        var decisions = SnapshotReview(review.snapshot, users: review.users, at: Self.now)
        return review.accounts.flatMap { account in
            decisions.access(to: account).map { user, access in
                let because = access.reasons.map { reason in
                    guard case .grant(let grant, _) = reason else {
                        return review.snapshot.text(of: reason)
                    }
                    let origin = review.origins[grant.id].map { "\($0)" } ?? "none"
                    return review.snapshot.text(of: reason) + origin
                }
                return "\(account.address) \(user) \(access.anywhere) \(access.send) \(because)"
            }
        }
    }

    @Test(arguments: 1...16)
    func `a review of an account or a subject has those rows of the whole review`(
        seed: UInt64
    ) throws {
        let model = try RandomModel(seed: seed)
        let whole = try model.store.load().access
        let all = Self.rows(try model.store.review(account: nil, subject: nil))
        #expect(Set(all).count == all.count)
        func rows(_ account: String?, _ subject: String?) throws -> [String] {
            Self.rows(try model.store.review(account: account, subject: subject))
        }
        func expected(_ account: String?, _ subject: String?) throws -> [String] {
            let address = try account.map { try model.store.account($0).address }
            let users = whole.users.values.filter { user in
                subject.map { whole.names(of: user.id).contains($0) } ?? true
            }
            return all.filter { row in
                (address.map { row.hasPrefix("\($0) ") } ?? true)
                    && users.contains { row.contains(" \($0) ") }
            }
        }
        let subjects = RandomModel.users + RandomModel.groups.map { "group:\($0)" }
        for account in RandomModel.accounts + [RandomModel.aliases[0]] {
            #expect(try rows(account, nil) == expected(account, nil), "\(account)")
            for subject in subjects {
                #expect(
                    try rows(account, subject) == expected(account, subject),
                    "\(account) \(subject)"
                )
            }
        }
        for subject in subjects {
            #expect(try rows(nil, subject) == expected(nil, subject), "\(subject)")
        }
    }

    @Test func `a review refuses what does not exist`() throws {
        let office = try Office()
        for (account, subject) in [
            ("no@kanzlei.example", nil), (nil, "no@kanzlei.example"), (nil, "group:no"),
        ] {
            let refusal = Office.refusal {
                try office.store.review(account: account, subject: subject)
            }
            #expect(refusal?.hasPrefix("no ") == true, "\(refusal ?? "none")")
        }
    }
}

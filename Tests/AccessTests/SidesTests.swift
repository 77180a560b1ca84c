import Access
import Testing

/// The two sides of an account, and their words.
@Suite struct SidesTests {
    @Test(arguments: [
        (false, false, Sides(), ""), (true, false, .view, "view"), (false, true, .send, "send"),
        (true, true, .both, "view send"),
    ])
    func `each side has its word`(view: Bool, send: Bool, sides: Sides, words: String) {
        #expect(Sides(view: view, send: send) == sides)
        #expect(sides.words == words)
        let withdrawal = Withdrawal(
            account: AccountID(1),
            subject: .everyone,
            view: view,
            send: send
        )
        #expect(withdrawal.sides == sides)
        let grant = Grant(
            id: 1,
            account: AccountID(1),
            subject: .everyone,
            rights: view ? .lookup : [],
            send: send ? .onBehalf : .none
        )
        #expect(grant.sides == sides)
    }
}

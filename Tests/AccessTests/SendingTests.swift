import Support
import Testing

@testable import Access

/// Section 5 of the permission model: one row for each sentence.
@Suite struct SendingTests {
    private static let anna = UserID(1)

    /// Anna owns `anna@` (alias `a@`) and `zweit@`. She may send as `info@` and on behalf of
    /// `bob@`, and only see `clara@`.
    private static func snapshot(withdrawn: Bool = false) throws -> Snapshot {
        func address(_ name: String) throws -> Address {
            try #require(Address("\(name)@kanzlei.example".utf8))
        }
        let accounts = [
            Account(
                id: AccountID(1),
                address: try address("anna"),
                aliases: [try address("a")],
                owner: anna
            ),
            Account(id: AccountID(2), address: try address("bob"), owner: UserID(2)),
            Account(
                id: AccountID(3),
                address: try address("info"),
                aliases: [try address("kontakt")]
            ),
            Account(id: AccountID(4), address: try address("clara"), owner: UserID(3)),
            Account(id: AccountID(5), address: try address("zweit"), owner: anna),
        ]
        func grant(_ id: Int64, _ account: Int64, _ rights: Rights, _ send: SendRight) -> Grant {
            Grant(
                id: id,
                account: AccountID(account),
                subject: .user(anna),
                rights: rights,
                send: send
            )
        }
        return Snapshot(
            revision: 1,
            users: [
                User(id: anna, login: try address("anna")),
                User(id: UserID(2), login: try address("bob")),
                User(id: UserID(3), login: try address("clara")),
                User(id: UserID(9), login: try address("gast")),
            ],
            groups: [],
            accounts: accounts,
            grants: [
                grant(1, 2, [], .onBehalf), grant(2, 3, [], .as), grant(3, 4, .view, .none),
                Grant(
                    id: 4,
                    account: AccountID(2),
                    subject: .user(UserID(9)),
                    rights: [],
                    send: .onBehalf
                ),
            ],
            withdrawals: withdrawn
                ? [Withdrawal(account: AccountID(3), subject: .user(anna), view: false, send: true)]
                : [],
            walls: []
        )
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var mail: String?
        var from: [String]
        var sender: String?
        var resent: [String] = []
        var verdict: String
        var why: String

        init(
            _ mail: String?,
            _ from: [String],
            _ sender: String?,
            resent: [String] = [],
            _ verdict: String,
            _ why: String
        ) {
            self.mail = mail
            self.from = from
            self.sender = sender
            self.resent = resent
            self.verdict = verdict
            self.why = why
        }

        var testDescription: String { self.why }
    }

    static let rows: [Row] = [
        Row("anna", ["anna"], nil, "1", "the user's own address"),
        Row("ANNA", ["Anna"], nil, "1", "addresses ignore ASCII case"),
        Row("a", ["a"], nil, "1", "an alias belongs to its account"),
        Row("info", ["info"], nil, "3", "as: no Sender is added"),
        Row("kontakt", ["info"], nil, "3", "as, with an alias"),
        Row("anna", ["info"], nil, "1", "the reverse-path decides the route"),
        Row("bob", ["bob"], nil, "2 signed anna", "on behalf: the gateway adds Sender"),
        Row("bob", ["bob"], "anna", "2 signed anna", "on behalf, with the client's Sender"),
        Row("bob", ["bob"], "bob", "sender", "on behalf is signed by the user, not by the account"),
        Row("bob", ["bob"], "a", "sender", "on behalf is signed with the primary address"),
        Row("bob", ["bob"], "zweit", "sender", "on behalf is signed with the primary address"),
        Row(
            "anna",
            ["bob"],
            nil,
            "1 signed anna",
            "on behalf, routed through the user's own account"
        ),
        Row("bob", ["anna"], nil, "2", "each address is decided separately"),
        Row("clara", ["anna"], nil, "reversePath", "reading never implies sending"),
        Row("anna", ["clara"], nil, "from", "reading never implies sending"),
        Row("fremd", ["anna"], nil, "reversePath", "no account has the address"),
        Row("anna", ["fremd"], nil, "from", "no account has the address"),
        Row("anna", [], nil, "from", "a From without a mailbox"),
        Row("anna", ["anna", "info"], nil, "senderRequired", "two authors need a Sender"),
        Row("anna", ["anna", "info"], "anna", "1", "two authors and a Sender"),
        Row("anna", ["anna", "clara"], "anna", "from", "every mailbox in From is decided"),
        Row("anna", ["clara", "anna"], "anna", "from", "every mailbox in From is decided"),
        Row("anna", ["info", "bob"], nil, "senderRequired", "two authors, one on behalf"),
        Row(
            "anna",
            ["info", "bob"],
            "anna",
            "1 signed anna",
            "two authors, one on behalf, with a Sender"
        ),
        Row(
            "anna",
            ["info", "bob"],
            "info",
            "sender",
            "two authors, one on behalf, with a wrong Sender"
        ),
        Row("anna", ["anna"], "info", "1", "Sender may be an account that the user may send as"),
        Row("anna", ["anna"], "zweit", "1", "Sender may be another own account"),
        Row("anna", ["anna"], "bob", "sender", "Sender may not be an account with on-behalf only"),
        Row("anna", ["anna"], "clara", "sender", "Sender may not be an account without the right"),
        Row("anna", ["anna"], "fremd", "sender", "Sender may not be an unknown address"),
        Row("anna", ["clara"], "anna", "from", "Sender does not permit From"),
        Row(
            "anna",
            ["anna"],
            nil,
            resent: ["info", "anna"],
            "1",
            "resent as an account that the user may send as"
        ),
        Row(
            "anna",
            ["anna"],
            nil,
            resent: ["bob"],
            "1 signed anna",
            "resent on behalf: the gateway adds Sender"
        ),
        Row(
            "bob",
            ["info"],
            "info",
            resent: ["bob"],
            "sender",
            "resent on behalf, with a wrong Sender"
        ),
        Row(
            "anna",
            ["anna"],
            nil,
            resent: ["anna", "clara"],
            "resent",
            "every resent address is decided"
        ),
        Row(nil, ["anna"], nil, "1", "null reverse-path: From decides"),
        Row(nil, ["info"], nil, "3", "null reverse-path: From decides"),
        Row(nil, ["bob"], nil, "2 signed anna", "null reverse-path on behalf"),
        Row(nil, ["clara"], nil, "from", "a null reverse-path does not bypass From"),
        Row(
            nil,
            ["anna", "info"],
            "anna",
            "noRoute",
            "null reverse-path, and From names two ways"
        ),
    ]

    @Test(arguments: rows)
    func `a message is accepted or refused by the rules for sending`(row: Row) throws {
        let verdict = try Self.snapshot().sending(
            Self.message(row),
            by: Self.anna,
            at: Moment(seconds: 0)
        )
        #expect(Self.shown(verdict) == row.verdict)
    }

    @Test func `a withdrawal of the send right leaves none`() throws {
        let message = Self.message(Row("anna", ["info"], nil, "", ""))
        let verdict = try Self.snapshot(withdrawn: true).sending(
            message,
            by: Self.anna,
            at: Moment(seconds: 0)
        )
        #expect(Self.shown(verdict) == "from")
    }

    @Test func `sending on behalf needs an account that the user owns`() throws {
        let message = Self.message(Row("bob", ["bob"], nil, "", ""))
        let verdict = try Self.snapshot().sending(message, by: UserID(9), at: Moment(seconds: 0))
        #expect(Self.shown(verdict) == "noOwnAddress")
    }

    @Test func `an address that From repeats thousands of times is decided once`() throws {
        let claimed = ["anna", "kontakt", "info"].map {
            ClaimedAddress(Array("\($0)@kanzlei.example".utf8))
        }
        var message = MessageAuthors(
            reversePath: claimed[0],
            from: (0..<20_000).map { claimed[$0 % 3] },
            sender: claimed[0],
            resent: (0..<20_000).map { claimed[$0 % 3] }
        )
        let snapshot = try Self.snapshot()
        let moment = Moment(seconds: 0)
        let start = StallMeter.now
        #expect(
            snapshot.sending(message, by: Self.anna, at: moment)
                == .accepted(route: AccountID(1), signature: nil)
        )
        var meter = StallMeter()
        meter.add(since: start)
        #expect(!meter.isOverLimit, "\(meter.longest) ms")
        message.from.append(ClaimedAddress(Array("clara@kanzlei.example".utf8)))
        #expect(snapshot.sending(message, by: Self.anna, at: moment) == .refused(.from))
    }

    @Test func `an unknown user cannot send`() throws {
        let message = Self.message(Row("anna", ["anna"], nil, "", ""))
        let verdict = try Self.snapshot().sending(message, by: UserID(77), at: Moment(seconds: 0))
        #expect(Self.shown(verdict) == "reversePath")
    }

    private static func message(_ row: Row) -> MessageAuthors {
        func claimed(_ name: String) -> ClaimedAddress {
            ClaimedAddress(Array("\(name)@kanzlei.example".utf8))
        }
        return MessageAuthors(
            reversePath: row.mail.map(claimed),
            from: row.from.map(claimed),
            sender: row.sender.map(claimed),
            resent: row.resent.map(claimed)
        )
    }

    private static func shown(_ verdict: SendingVerdict) -> String {
        switch verdict {
        case .refused(let refusal): "\(refusal)"
        case .accepted(let route, nil): "\(route.rawValue)"
        case .accepted(let route, let signature?):
            "\(route.rawValue) signed \(signature.address.description.prefix { $0 != "@" })"
        }
    }
}

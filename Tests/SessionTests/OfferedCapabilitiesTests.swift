import Access
import IMAP
import NIOCore
import Session
import Testing

/// The account whose server decides the capabilities for a client.
@Suite struct OfferedCapabilitiesTests {
    /// The capabilities that Anna gets at login. She can also see Bob's account, whose server has only UIDPLUS.
    private static func offered(
        onlyAccount: AccountID? = nil,
        isOwnServerKnown: Bool = true
    ) throws -> Set<String> {
        var fixture = Fixture()
        try fixture.configure("grant bob account lr")
        try fixture.configure("capabilities bob IMAP4REV1 UIDPLUS")
        if !isOwnServerKnown { fixture.profiles.updateValue(nil, forKey: 1) }
        var session = ClientSession(snapshot: fixture.snapshot, hasTLS: true, at: Fixture.now)
        session.opened()
        session.clientOctetsReceived(
            ByteBuffer(string: "l LOGIN anna@kanzlei.example pw\r\n"),
            at: Fixture.now
        )
        session.authenticationFinished(
            .accepted(fixture.anna, account: onlyAccount, profiles: fixture.profiles)
        )
        var actions: [Action] = []
        session.takeActions(into: &actions)
        let said = actions.map { action in
            if case .toClient(let octets) = action { String(buffer: octets) } else { "" }
        }.joined()
        let answer = try #require(said.split(separator: "\r\n").last { $0.hasPrefix("l OK ") })
        return Set(answer.split { " []".contains($0) }.map(String.init))
    }

    @Test func `the personal account's server decides the capabilities`() throws {
        #expect(try Self.offered().isSuperset(of: ["UIDPLUS", "MOVE", "CONDSTORE", "ESEARCH"]))
    }

    @Test func `the account in the login name decides the capabilities`() throws {
        let offered = try Self.offered(onlyAccount: 2)
        #expect(offered.contains("UIDPLUS"))
        #expect(offered.isDisjoint(with: ["MOVE", "CONDSTORE", "ESEARCH"]))
    }

    @Test func `the other servers decide the capabilities if the personal server is unknown`()
        throws
    {
        let offered = try Self.offered(isOwnServerKnown: false)
        #expect(offered.contains("UIDPLUS"))
        #expect(offered.isDisjoint(with: ["MOVE", "CONDSTORE", "ESEARCH"]))
    }

    @Test func `at most 256 mailboxes of a server without NOTIFY are polled`() throws {
        let items = "(MESSAGES UIDNEXT UIDVALIDITY)"
        var lines = [
            "@grant bob account lr",
            "@capabilities anna IMAP4REV1 LITERAL+ UNSELECT NOTIFY",
            "@capabilities bob IMAP4REV1 LITERAL+ UNSELECT",
            "C: a1 NOTIFY SET (subtree \"Other Users\" (MessageNew MessageExpunge))",
            "U bob> T LIST \"\" \"*\"",
        ]
        lines += (1...257).map { "U bob< * LIST () \".\" F\($0)" } + ["U bob< T OK Done."]
        for number in 1...256 {
            lines += [
                "U bob> T STATUS F\(number) \(items)", "U bob< * STATUS F\(number) (MESSAGES 1)",
                "U bob< T OK Done.",
            ]
        }
        lines += [
            "S: * NO [UNAVAILABLE] Some mailboxes cannot be reached now",
            "S: a1 OK NOTIFY completed", "! poll",
        ]
        for number in 1...64 {
            lines += ["U bob> T STATUS F\(number) \(items)", "U bob< T NO Not now."]
        }
        lines += ["! poll", "U bob> T STATUS F65 \(items)"]
        var dialog = try Dialog(lines.joined(separator: "\n"), name: "many mailboxes")
        try dialog.run(chunk: .max)
    }
}

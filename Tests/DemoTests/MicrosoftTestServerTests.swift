import Foundation
import Testing

@testable import Demo

/// Whom the test server in Microsoft's place believes, and what it says otherwise.
@Suite struct MicrosoftTestServerTests {
    private static let form = [
        "client_id": MicrosoftTestServer.application, "client_secret": MicrosoftTestServer.secret,
        "grant_type": "client_credentials", "scope": "https://outlook.office365.com/.default",
    ]

    private static func encoded(_ form: [String: String]) -> Data {
        var components = URLComponents()
        components.queryItems = form.sorted { $0.key < $1.key }.map {
            URLQueryItem(name: $0.key, value: $0.value)
        }
        return Data((components.percentEncodedQuery ?? "").utf8)
    }

    private static func state() -> MicrosoftTestServer.State {
        MicrosoftTestServer.State(
            organization: ExchangeOrganization(
                mailboxes: [
                    .init(
                        address: "vertrieb@kanzlei.example",
                        name: "Vertrieb",
                        aliases: ["v@kanzlei.example"],
                        type: "SharedMailbox",
                        fullAccess: [.init(user: "anna@kanzlei.example")],
                        sendAs: [.init(user: "anna@kanzlei.example", isDenied: true)]
                    ),
                    .init(address: "anna@kanzlei.example", name: "Anna"),
                ],
                groups: [
                    .init(
                        name: "Team",
                        address: "team@kanzlei.example",
                        members: ["anna@kanzlei.example"]
                    )
                ]
            )
        )
    }

    private static func json(_ answer: HTTPAnswer) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
        )
    }

    // MARK: - Tokens

    @Test func `an application with its secret gets a token that is good for an hour`() throws {
        var state = Self.state()
        let answer = MicrosoftTestServer.token(Self.encoded(Self.form), state: &state)
        #expect(answer.status == 200 && state.tokenRequests == 1)
        let fields = try Self.json(answer)
        let token = try #require(fields["access_token"] as? String)
        #expect(fields["token_type"] as? String == "Bearer")
        #expect(fields["expires_in"] as? Int == 3_599)
        #expect(MicrosoftTestServer.isGood("Bearer \(token)", state: state))
        #expect(!MicrosoftTestServer.isGood("Bearer \(token)x", state: state))
        #expect(!MicrosoftTestServer.isGood(nil, state: state))
        state.tokens[token] = Date().addingTimeInterval(-1)
        #expect(!MicrosoftTestServer.isGood("Bearer \(token)", state: state))
    }

    /// A field, another value of it, and the code of the refusal.
    @Test(arguments: [
        ("client_id", "x", 400, "AADSTS700016"), ("client_secret", "x", 401, "AADSTS7000215"),
        ("grant_type", "password", 400, "AADSTS70011"), ("scope", "x", 400, "AADSTS70011"),
    ])
    func `each field that is wrong has its refusal`(
        field: String,
        value: String,
        status: Int,
        code: String
    ) throws {
        var state = Self.state()
        for form in [
            Self.form.merging([field: value]) { $1 }, Self.form.filter { $0.key != field },
        ] {
            let answer = MicrosoftTestServer.token(Self.encoded(form), state: &state)
            #expect(answer.status == status)
            let fields = try Self.json(answer)
            #expect((fields["error_description"] as? String)?.hasPrefix(code) == true)
            #expect(fields["access_token"] == nil)
        }
        #expect(state.tokens.isEmpty && state.tokenRequests == 2)
    }

    @Test func `an assertion that is good stands in for the secret`() {
        var state = Self.state()
        var form = Self.form
        form["client_secret"] = nil
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form["client_assertion"] = "signed"
        #expect(MicrosoftTestServer.token(Self.encoded(form), state: &state).status == 401)
        state.isAssertionGood = { $0 == "signed" }
        #expect(MicrosoftTestServer.token(Self.encoded(form), state: &state).status == 200)
        form["client_assertion_type"] = "x"
        #expect(MicrosoftTestServer.token(Self.encoded(form), state: &state).status == 401)
    }

    @Test func `a fault comes once, before anything is looked at`() {
        var state = Self.state()
        state.tokenFaults = [.status(503, headers: ["Retry-After": "7"], body: "x")]
        let first = MicrosoftTestServer.token(Self.encoded(Self.form), state: &state)
        #expect(first.status == 503 && first.headers == ["Retry-After": "7"] && first.body == "x")
        #expect(MicrosoftTestServer.token(Self.encoded(Self.form), state: &state).status == 200)
    }

    // MARK: - Cmdlets

    private static func run(
        _ cmdlet: String,
        _ parameters: [String: String] = [:],
        _ state: inout MicrosoftTestServer.State
    ) throws -> HTTPAnswer {
        state.tokens["t"] = Date().addingTimeInterval(60)
        let body = try JSONSerialization.data(withJSONObject: [
            "CmdletInput": ["CmdletName": cmdlet, "Parameters": parameters]
        ])
        return MicrosoftTestServer.command("Bearer t", body: body, state: &state)
    }

    @Test(arguments: ["vertrieb@kanzlei.example", "v@kanzlei.example"])
    func `a mailbox is found by each of its addresses`(identity: String) throws {
        var state = Self.state()
        let answer = try Self.run("Get-Mailbox", ["Identity": identity], &state)
        let rows = try #require(try Self.json(answer)["value"] as? [[String: Any]])
        #expect(rows.count == 1)
        #expect(rows[0]["PrimarySmtpAddress"] as? String == "vertrieb@kanzlei.example")
        #expect(rows[0]["IsShared"] as? Bool == true)
        #expect(state.commands == ["Get-Mailbox \(identity)"])
    }

    @Test(arguments: ["Get-Mailbox", "Get-MailboxPermission", "Get-MailboxFolderPermission"])
    func `what is not there is said not to be, as Exchange says it`(cmdlet: String) throws {
        var state = Self.state()
        let answer = try Self.run(cmdlet, ["Identity": "nobody@kanzlei.example"], &state)
        #expect(answer.status == 400)
        #expect(answer.body.contains("ManagementObjectNotFoundException"))
        #expect(answer.body.contains("nobody@kanzlei.example"))
    }

    @Test func `a right that is denied is told as one`() throws {
        var state = Self.state()
        let identity = ["Identity": "vertrieb@kanzlei.example"]
        let access = try Self.json(Self.run("Get-MailboxPermission", identity, &state))
        let rows = try #require(access["value"] as? [[String: Any]])
        #expect(
            rows.map { $0["User"] as? String } == [#"NT AUTHORITY\SELF"#, "anna@kanzlei.example"]
        )
        #expect(rows.allSatisfy { $0["Deny"] as? Bool == false })
        let sending = try Self.json(Self.run("Get-RecipientPermission", identity, &state))
        let kinds = try #require(sending["value"] as? [[String: Any]])
            .map { $0["AccessControlType"] as? String }
        #expect(kinds == ["Allow", "Deny"])
    }

    @Test func `a list that may be cut warns, and one that is asked for whole does not`() throws {
        var state = Self.state()
        let cut = try Self.json(Self.run("Get-Recipient", [:], &state))
        #expect((cut["@adminapi.warnings"] as? [String])?.isEmpty == false)
        let whole = try Self.json(
            Self.run("Get-Recipient", ["ResultSize": "Unlimited"], &state)
        )
        #expect((whole["@adminapi.warnings"] as? [String])?.isEmpty == true)
        #expect((whole["value"] as? [Any])?.count == 3)
    }

    @Test func `members of a group are its own, and a group that is none has none`() throws {
        var state = Self.state()
        let team = try Self.json(
            Self.run("Get-DistributionGroupMember", ["Identity": "team@kanzlei.example"], &state)
        )
        let members = try #require(team["value"] as? [[String: Any]])
        #expect(members.map { $0["PrimarySmtpAddress"] as? String } == ["anna@kanzlei.example"])
        let other = try Self.run(
            "Get-DynamicDistributionGroupMember",
            ["Identity": "team@kanzlei.example"],
            &state
        )
        #expect(other.status == 400)
    }

    @Test func `a cmdlet that is refused, unknown or no cmdlet runs nothing`() throws {
        var state = Self.state()
        state.refused = ["Get-User"]
        #expect(try Self.run("Get-User", [:], &state).status == 403)
        #expect(try Self.run("Remove-Mailbox", [:], &state).status == 400)
        let garbage = MicrosoftTestServer.command(
            "Bearer t",
            body: Data("x".utf8),
            state: &state
        )
        #expect(garbage.status == 400)
        let stranger = MicrosoftTestServer.command(nil, body: Data("{}".utf8), state: &state)
        #expect(stranger.status == 401)
        #expect(state.commands == ["Remove-Mailbox "])
    }

    @Test func `a revocation ends every token`() throws {
        var state = Self.state()
        state.faults = [.revocation]
        #expect(try Self.run("Get-User", [:], &state).status == 401)
        #expect(state.tokens.isEmpty)
        #expect(try Self.run("Get-User", ["ResultSize": "Unlimited"], &state).status == 200)
    }

    // MARK: - Identities

    @Test func `the same name has the same identity, and another has another`() throws {
        let organization = Self.state().organization
        let once = try #require(organization.rows("Get-User", identity: nil))
        let again = try #require(organization.rows("Get-User", identity: nil))
        let sids = once.map { $0["Sid"] as? String }
        #expect(sids == again.map { $0["Sid"] as? String })
        #expect(Set(sids).count == once.count)
        #expect(once.map { $0["AccountDisabled"] as? Bool } == [true, false])
        let permissions = try #require(
            organization.rows("Get-MailboxPermission", identity: "v@kanzlei.example")
        )
        #expect(permissions.last?["UserSid"] as? String == sids[1])
    }

    @Test func `an organization does not know what it was not told`() {
        let organization = ExchangeOrganization()
        #expect(organization.rows("Get-Mailbox", identity: "x") == nil)
        #expect(organization.rows("Get-User", identity: nil)?.isEmpty == true)
        #expect(organization.rows("Set-Mailbox", identity: nil) == nil)
        #expect(organization.rows("Get-Mailbox", identity: nil) == nil)
    }
}

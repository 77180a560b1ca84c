import ArgumentParser
import Foundation
import SASL
import Store
import Support
import Testing

@testable import gatepost

/// What `account add` and `account set` understand.
@Suite struct AccountOptionsTests {
    private static func settings(_ words: [String]) throws -> AccountSettings {
        try AccountOptions.parse(words).settings(prompt: nil)
    }

    @Test func `what is not named is not set`() throws {
        let settings = try Self.settings([])
        #expect(settings.owner == nil && settings.aliases == nil && settings.imap == nil)
        #expect(settings.smtp == nil && settings.caFile == nil && settings.username == nil)
        #expect(settings.sentCopy == nil && settings.password == nil)
        #expect(settings.isSentCopyRequired == nil)
        #expect(try Self.settings(["--sent-copy-required"]).isSentCopyRequired == true)
        #expect(try Self.settings(["--no-sent-copy-required"]).isSentCopyRequired == false)
    }

    /// The way to protect a connection, and the ports that go with it.
    @Test(
        arguments: [
            (nil, Endpoint.Security.implicit, 993, 465), ("implicit", .implicit, 993, 465),
            ("starttls", .starttls, 143, 587), ("none", .none, 143, 587),
        ] as [(String?, Endpoint.Security, Int, Int)]
    )
    func `ports follow the way in which a connection is protected`(
        tls: String?,
        security: Endpoint.Security,
        imap: Int,
        smtp: Int
    ) throws {
        let words = ["--imap", "mail.example", "--smtp", "smtp.example"]
        let settings = try Self.settings(words + (tls.map { ["--tls", $0] } ?? []))
        #expect(settings.imap == Endpoint(host: "mail.example", port: imap, tls: security))
        #expect(settings.smtp == Endpoint(host: "smtp.example", port: smtp, tls: security))
        let named = try Self.settings(
            ["--imap", "mail.example:1", "--smtp", "[::1]:2"] + (tls.map { ["--tls", $0] } ?? [])
        )
        #expect(named.imap?.port == 1 && named.smtp?.port == 2 && named.smtp?.host == "::1")
    }

    @Test(arguments: ["ssl", "TLS", "", "Implicit"])
    func `another way is refused with those that there are`(tls: String) {
        let error = #expect(throws: (any Error).self) {
            try AccountOptions.parse(["--tls", tls])
        }
        let said = error.map { AccountOptions.message(for: $0) } ?? ""
        #expect(said == "--tls must be implicit, starttls or none")
    }

    @Test func `each alias is one more`() throws {
        let settings = try Self.settings(["--alias", "a@x.example", "--alias", "b@x.example"])
        #expect(settings.aliases == ["a@x.example", "b@x.example"])
    }

    @Test(arguments: ["owner", "sender", "both", "none"])
    func `copies of what others send go to whom it is said`(who: String) throws {
        #expect(try Self.settings(["--sent-copy", who]).sentCopy == who)
    }

    @Test func `another receiver of copies is refused`() {
        #expect(throws: (any Error).self) {
            try AccountOptions.parse(["--sent-copy", "everybody"])
        }
    }

    @Test func `certificates are a file that can be read, from the top`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("x", as: "ca.pem")
        #expect(try Self.settings(["--ca", file]).caFile == file)
        let error = #expect(throws: Failure.self) {
            try Self.settings(["--ca", "/nowhere/ca.pem"])
        }
        #expect(
            error?.description == "cannot read /nowhere/ca.pem: check its path and its permissions"
        )
    }

    // MARK: - Passwords

    @Test(arguments: [
        ("secret", "secret"), ("secret\n", "secret"), ("secret\r\nmore", "secret"),
        ("se cret \nx", "se cret "), ("p\u{E4}ss\n", "p\u{E4}ss"),
    ])
    func `a password is a file's first line, with its blanks`(
        text: String,
        password: String
    ) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(text, as: "password")
        let settings = try Self.settings(["--password-file", file])
        #expect(settings.password?.value == password)
    }

    @Test(arguments: ["", "\n", "\nsecond"])
    func `a password that is empty is none`(text: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(text, as: "password")
        let error = #expect(throws: Failure.self) { try Self.settings(["--password-file", file]) }
        #expect(error?.description == "the password is empty: enter one")
    }

    @Test func `a file with a password that is not there is named`() {
        let error = #expect(throws: Failure.self) {
            try Self.settings(["--password-file", "/nowhere/password"])
        }
        #expect(
            error?.description
                == "cannot read /nowhere/password: check its path and its permissions"
        )
    }

    @Test func `no password is an argument`() {
        for words in [["--password", "x"], ["--password=x"], ["--password-stdin=x"]] {
            #expect(throws: (any Error).self) { try AccountOptions.parse(words) }
        }
    }
}

/// Files that commands read, and questions that they ask.
@Suite struct InputTests {
    @Test func `a file is its octets, and one that is not there is named`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a\0b", as: "input")
        #expect(try InputFile.contents(file) == Data("a\0b".utf8))
        let error = #expect(throws: Failure.self) { try InputFile.contents("/nowhere/x") }
        #expect(error?.description == "cannot read /nowhere/x: check its path and its permissions")
    }

    @Test func `without a terminal nothing is destroyed unless it is said`() throws {
        try YesOption.parse(["--yes"]).confirm("Remove everything")
        guard isatty(0) != 1 else { return }
        let error = #expect(throws: Failure.self) {
            try YesOption.parse([]).confirm("Remove everything")
        }
        #expect(error?.description == "Remove everything? Confirm with --yes")
    }

    @Test(arguments: [([], false), (["--json"], true)] as [([String], Bool)])
    func `one document is printed where it is asked for`(words: [String], isJSON: Bool) throws {
        #expect(try JSONOption.parse(words).json == isJSON)
    }
}

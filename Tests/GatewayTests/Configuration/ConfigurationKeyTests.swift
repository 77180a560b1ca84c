import Support
import Testing

@testable import Gateway

/// Unknown keys and values of the wrong shape in `gatepost.yaml`.
@Suite struct ConfigurationKeyTests {
    /// Seven lines, without an error.
    private static let valid = """
        listen:
          imaps: "127.0.0.1:993"
        tls:
          certificates: ["a.pem"]
          keys: ["a.key"]
        store: a.sqlite
        masterKey: master.key

        """

    /// What is said of a configuration, without the file's path; nil if it is accepted.
    private static func complaint(_ text: String) async throws -> String? {
        let folder = try TemporaryFolder()
        let file = try folder.write(text, as: "gatepost.yaml")
        do {
            _ = try await GatewayConfiguration(file: file, readsEnvironment: false)
            return nil
        } catch let error as ConfigurationError {
            #expect(error.description.hasPrefix(file))
            return String(error.description.dropFirst(file.count))
        }
    }

    @Test(arguments: [
        ("audti: required", "audti", "audit", 8),
        ("# a comment\n\naudti: required", "audti", "audit", 10),
        ("Audit: required", "Audit", "audit", 8),
        ("audit_days: 5", "audit_days", "auditDays", 8),
        ("loginSeconds: 5", "loginSeconds", "limits.loginSeconds", 8),
        ("level: debug", "level", "log.level", 8),
        ("log:\n  levle: debug", "log.levle", "log.level", 9),
        ("log: {levle: debug}", "log.levle", "log.level", 8),
        ("log: {\n  level: debug,\n  levle: debug\n}", "log.levle", "log.level", 10),
        ("limit:\n  loginSeconds: 5", "limit", "limits", 8),
        ("limits:\n  # more\n  loginSecond: 5", "limits.loginSecond", "limits.loginSeconds", 10),
        ("'audti': required", "audti", "audit", 8),
        ("\"audti\" : required", "audti", "audit", 8),
        ("\"audt\\u0069\": required", "audti", "audit", 8),
        ("? audti\n: required", "audti", "audit", 8),
        ("log: &a\n  level: info\nlgo: *a", "lgo", "log", 10),
        ("exchange:\n  tennant: x", "exchange.tennant", "exchange.tenant", 9),
        ("log:\n  level: debug\naudti: required", "audti", "audit", 10),
        ("audti:", "audti", "audit", 8),
    ])
    func `an unknown key is refused with its line and the nearest key`(
        lines: String,
        key: String,
        nearest: String,
        line: Int
    ) async throws {
        let complaint = try await Self.complaint(Self.valid + lines + "\n")
        #expect(complaint == ": line \(line): unknown key \(key): the nearest key is \(nearest)")
    }

    @Test(arguments: [
        ("limits.loginSeconds: 5", "indent it below its group"), ("user: [a]", "user: one value"),
        ("log:\n  level: [debug]", "log.level: one value"),
        ("exchange:\n  tenant: {a: b}", "exchange.tenant: one value"),
        ("limits: 5", "limits: it is a group"), ("limits: [5]", "limits: it is a group"),
        ("exchange:\n  mailDomains: a.example", "exchange.mailDomains: a list"),
        ("exchange:\n  mailDomains:", "exchange.mailDomains: a list"),
        ("threads:\n- 5", "threads: one value"),
        ("log:\n  level:\n    deep: x", "log.level: one value"),
    ])
    func `a value of the wrong shape is refused with its line`(
        lines: String,
        says: String
    ) async throws {
        let complaint = try #require(try await Self.complaint(Self.valid + lines + "\n"))
        #expect(complaint.contains(": line ") && complaint.contains(says), "\(complaint)")
    }

    @Test(arguments: [
        "audit: required\naudit: besteffort", "log:\n  level: debug\nlog:\n  level: info",
        "limits.loginSeconds: 5\nlimits:\n  loginSeconds: 6",
    ])
    func `a key that occurs twice is refused`(lines: String) async throws {
        #expect(try await Self.complaint(Self.valid + lines + "\n") != nil)
    }

    /// Some parsers end a line at these separators, and some merge the keys of an anchor.
    @Test(arguments: [
        "...\n---\naudti: required", "# a\u{2028}audti: required", "# a\u{85}audti: required",
        "{audit: required}", "log: &a\n  level: info\nlimits:\n  <<: *a",
    ])
    func `no form of YAML hides a key from the check`(lines: String) async throws {
        #expect(try await Self.complaint(Self.valid + lines + "\n") != nil)
    }

    @Test(arguments: [
        "", "# only a comment", "audit: required # a comment", "log: {level: debug}",
        "log:\n    level: debug\n\n\n    # more\nuser: gatepost", "log:", "exchange: {}",
        "user: \"a # b\"", "user: 'it''s'", "user: \"a \\\" b\"", "user: a#b", "user: http://x",
        "limits:\n  loginSeconds: 5\n  idleMinutes: 5\naudit: required",
    ])
    func `the usual forms of YAML are accepted`(lines: String) async throws {
        #expect(try await Self.complaint(Self.valid + lines + "\n") == nil)
        #expect(try await Self.complaint("---\n" + Self.valid + lines) == nil)
        let other = (Self.valid + lines).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(try await Self.complaint(other.joined(separator: "\r\n")) == nil)
        #expect(try await Self.complaint("\u{FEFF}" + Self.valid + lines) == nil)
    }

    @Test(arguments: [
        "tls:\n  certificates:\n    - a.pem\n    - \"b.pem\"\n  keys:\n  - a.key\n  - b.key\n",
        "tls:\n  certificates: [a.pem,\n    b.pem]\n  keys: [ 'a.key' , # first\n  b.key, ]\n",
        "tls: {certificates: [a.pem], keys: [a.key]}\n",
    ])
    func `lists have a block form and a flow form`(lines: String) async throws {
        let text =
            "listen:\n  imaps: \"127.0.0.1:993\"\n\(lines)store: a.sqlite\nmasterKey: master.key\n"
        #expect(try await Self.complaint(text) == nil)
        let complaint = try await Self.complaint(text + "audti: required\n")
        #expect(complaint?.hasSuffix("unknown key audti: the nearest key is audit") == true)
    }
}

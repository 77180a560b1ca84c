import LDAP
import Testing

/// Distinguished names (RFC 4514) and their templates.
struct DirectoryNameTests {
    @Test(arguments: [
        ("anna", "anna"),
        ("anna meyer", "anna meyer"),
        ("x,ou=admins", "x\\2cou\\3dadmins"),
        ("x+cn=y", "x\\2bcn\\3dy"),
        ("a\"b;c<d>e\\f", "a\\22b\\3bc\\3cd\\3ee\\5cf"),
        (" anna", "\\20anna"),
        ("anna ", "anna\\20"),
        (" ", "\\20"),
        ("#04", "\\2304"),
        ("a\u{0}b", "a\\00b"),
        ("müller", "m\\c3\\bcller"),
    ])
    func `an escaped value has no special octet`(value: String, expected: String) {
        #expect(DirectoryName.escaped(value.utf8) == expected)
    }

    @Test(arguments: [
        "anna", "x,ou=admins,dc=kanzlei", "x+cn=y", " a ", "#04", "\\", "\\,", "\"", "müller",
        "a\u{0}", "=", "a=b", "\r\n", "a,", ";",
    ])
    func `a login does not change the structure`(login: String) throws {
        let template = try DirectoryNameTemplate("uid={login},ou=people,dc=kanzlei,dc=example")
        let name = try #require(template.name(for: DirectoryLogin(login)))
        let other = try #require(template.name(for: DirectoryLogin("other")))
        #expect(DirectoryName.areEqual(name, and: name))
        #expect(!DirectoryName.areEqual(name, and: other))
        #expect(name.hasSuffix(",ou=people,dc=kanzlei,dc=example"))
        let normalized = try #require(DirectoryName.normalized(name))
        #expect(normalized.split(separator: ",").count == 4)
        #expect(!normalized.contains("+"))
    }

    @Test(arguments: [
        ("ou=people,dc=x", "ou=groups,dc=x", "dc=x"),
        ("ou=people, DC=X,dc=y", "dc=x,dc=Y", "dc=x,dc=y"), ("dc=x", "dc=x", "dc=x"),
        ("ou=a\\,dc=x", "dc=x", nil), ("dc=x", "dc=y", nil), ("", "dc=x", nil),
        ("no name", "dc=x", nil),
    ])
    func `two entries have a deepest entry above both`(
        first: String,
        second: String,
        expected: String?
    ) {
        #expect(DirectoryName.commonSuperior(of: first, and: second) == expected)
        #expect(DirectoryName.commonSuperior(of: second, and: first) == expected)
    }

    @Test(arguments: [
        ("uid={user},ou=people", "uid=anna,ou=people"),
        ("cn=x {user} y,o={domain}", "cn=x anna y,o=kanzlei.example"),
        ("uid={user}+o={domain},dc=x", "uid=anna+o=kanzlei.example,dc=x"),
        ("dc=kanzlei,dc=example", "dc=kanzlei,dc=example"),
    ])
    func `a template gives a name`(template: String, expected: String) throws {
        let template = try DirectoryNameTemplate(template)
        #expect(template.name(for: DirectoryLogin("anna@kanzlei.example")) == expected)
    }

    @Test(arguments: [
        "", "{user}", "{user}=x", "uid", "uid={mail}", "uid={user", "uid=user}", "uid=\\{user}",
        "uid=\\2{user}", "uid=#{user}", "uid=#04{user}", "uid=\"{user}\"", "u{user}=x,dc=y",
        "uid;{user}=x", "uid=x,{user}", "uid={user},", "uid={user}\u{0}", ",uid={user}",
    ])
    func `a template that is no name is refused`(template: String) {
        #expect(throws: DirectoryError.self) { try DirectoryNameTemplate(template) }
    }

    @Test(arguments: [
        ("uid=anna,dc=kanzlei", "UID=Anna,DC=Kanzlei", true),
        ("uid=anna, dc=kanzlei", "uid=anna,dc=kanzlei", true),
        ("cn=a\\2cb", "cn=a\\,b", true),
        ("cn=a\\2cb", "cn=a,b=c", false),
        ("cn=a+uid=b,dc=x", "uid=B+cn=A,dc=x", true),
        ("cn=a+uid=b,dc=x", "cn=a,uid=b,dc=x", false),
        ("cn=M\\c3\\9cLLER", "cn=müller", true),
        ("cn=mu\u{308}ller", "cn=m\u{FC}ller", true),
        ("cn=a", "cn=ab", false),
        ("cn=a", "uid=a", false),
        ("cn=a,dc=x", "cn=a", false),
        ("cn=\\ff", "cn=\\fe", false),
        ("cn=\\ff", "cn=\\FF", true),
        ("cn=\\00", "cn=", false),
        ("cn=#040161", "cn=a", false),
        ("cn=#040161", "cn=#040161", false),
        ("cn=# a", "cn=# b", false),
        ("cn=#040161", "cn=\\23040161", false),
        ("", "", true),
        ("nonsense", "nonsense", false),
        ("cn=a\u{0}b", "cn=a\u{0}b", false),
        ("cn=a\u{0}b", "cn=a", false),
    ])
    func `names are equal whatever their spelling`(
        first: String,
        second: String,
        expected: Bool
    ) {
        #expect(DirectoryName.areEqual(first, and: second) == expected)
        #expect(DirectoryName.areEqual(second, and: first) == expected)
    }

    @Test func `a name of megabytes equals none`() {
        let long = "cn=" + String(repeating: "a", count: 1_000_000)
        #expect(!DirectoryName.areEqual(long, and: long))
    }

    /// The number of separators that are not escaped.
    private static func separators(in text: String) -> Int {
        var count = 0
        var isEscaped = false
        for octet in text.utf8 {
            if !isEscaped, octet == UInt8(ascii: ",") || octet == UInt8(ascii: "+") { count += 1 }
            isEscaped = !isEscaped && octet == UInt8(ascii: "\\")
        }
        return count
    }

    @Test func `no text ends the process`() {
        var random = SystemRandomNumberGenerator()
        let parts = [
            "cn=", "a", ",", "+", "\\", "\\2c", "\\c3", "\\ff", "#", "#04", "#0401", "=", " ", "\"",
            ";", "<", ">", "1.2.3", "oid.1", "\u{FC}", ".", "-", "\u{1}", "'", "/", "\\\\", "  ",
        ]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...12, using: &random)
            let text = (0..<count).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
            let normalized = DirectoryName.normalized(text)
            let again = normalized.flatMap(DirectoryName.normalized)
            #expect(again == normalized, "\(text)")
            if let normalized, !text.isEmpty {
                // No part of the text is ignored.
                let count = Self.separators(in: text)
                #expect(Self.separators(in: normalized) == count, "\(text)")
            }
        }
    }
}

import LDAP
import Testing

/// Filters (RFC 4515) and their templates.
struct DirectoryFilterTests {
    @Test(arguments: [
        ("anna", "anna"),
        ("", ""),
        ("anna@kanzlei.example", "anna@kanzlei.example"),
        ("*)(uid=*", "\\2a\\29\\28uid=\\2a"),
        ("*", "\\2a"),
        ("a\\b", "a\\5cb"),
        ("\\2a", "\\5c2a"),
        ("a\u{0}b", "a\\00b"),
        ("a\nb\u{7F}", "a\\0ab\\7f"),
        (" a ", " a "),
        ("müller", "m\\c3\\bcller"),
        ("{login}", "{login}"),
    ])
    func `an escaped value has no special octet`(value: String, expected: String) {
        #expect(DirectoryFilter.escaped(value.utf8) == expected)
    }

    @Test func `octets that are no UTF-8 keep their value`() {
        #expect(DirectoryFilter.escaped([0xFF, 0x61, 0xC3, 0x28]) == "\\ffa\\c3\\28")
    }

    @Test(arguments: [
        ("(mail={login})", "(mail=anna@kanzlei.example)"),
        ("(uid={user})", "(uid=anna)"),
        ("(&(uid={user})(o={domain}))", "(&(uid=anna)(o=kanzlei.example))"),
        ("(&(objectClass=person)(mail=*))", "(&(objectClass=person)(mail=*))"),
        (" ( | (a=b)\n\t( ! (c=d) ) ) ", "(|(a=b)(!(c=d)))"),
        ("(proxyAddresses=smtp:{login})", "(proxyAddresses=smtp:anna@kanzlei.example)"),
        ("(cn=a b)", "(cn=a b)"),
        ("(cn=\\2a\\C3\\bc)", "(cn=\\2a\\C3\\bc)"),
        ("(cn=müller)", "(cn=müller)"),
        ("(cn;lang-de=*a*b*)", "(cn;lang-de=*a*b*)"),
        ("(memberOf:1.2.840.113556.1.4.1941:=cn=x)", "(memberOf:1.2.840.113556.1.4.1941:=cn=x)"),
        ("(ou:dn:=people)", "(ou:dn:=people)"),
        ("(a>=1)", "(a>=1)"),
        ("(a~=x)", "(a~=x)"),
    ])
    func `a template gives a filter`(template: String, expected: String) throws {
        let template = try DirectoryFilterTemplate(template)
        #expect(template.filter(for: DirectoryLogin("anna@kanzlei.example")) == expected)
    }

    @Test(arguments: [
        "", "mail={login}", "(mail={login}", "(mail={login}))", "(mail={mail})", "(mail={login)",
        "(mail=login})", "({login}=x)", "(={login})", "(mail{login})", "(mail=a(b)", "(mail=a)b)",
        "(mail=\\zz)", "(mail=\\2)", "(mail=\\2{user})", "(mail=\\{user})", "(&)", "(!)", "(|x)",
        "(a=b)(c=d)", "(!(a=b)(c=d))", "(a b=c)", "(a<b)", "(a:1.2=x)", "(ma il=x)", "(a=b\u{0})",
        "{login}", "(:={login})", "(a=b) x", "( =x)",
    ])
    func `a template that is no filter is refused`(template: String) {
        #expect(throws: DirectoryError.self) { try DirectoryFilterTemplate(template) }
    }

    @Test func `a filter that nests too deep is refused`() throws {
        let deep = { (levels: Int) in
            String(repeating: "(!", count: levels) + "(a=b)" + String(repeating: ")", count: levels)
        }
        _ = try DirectoryFilterTemplate(deep(19))
        #expect(throws: DirectoryError.self) { try DirectoryFilterTemplate(deep(20)) }
        #expect(throws: DirectoryError.self) { try DirectoryFilterTemplate(deep(100_000)) }
    }

    @Test(arguments: [
        ("*)(uid=*", "(mail=\\2a\\29\\28uid=\\2a)"),
        ("*", "(mail=\\2a)"),
        ("a\\", "(mail=a\\5c)"),
        ("{user}", "(mail={user})"),
        ("a\u{0}", "(mail=a\\00)"),
    ])
    func `a login does not change the structure`(login: String, expected: String) throws {
        let template = try DirectoryFilterTemplate("(mail={login})")
        #expect(template.filter(for: DirectoryLogin(login)) == expected)
    }

    @Test(arguments: ["anna", "anna@", "@kanzlei.example", "@"])
    func `a login without a domain fills no template with one`(login: String) throws {
        let template = try DirectoryFilterTemplate("(&(uid={user})(o={domain}))")
        #expect(template.filter(for: DirectoryLogin(login)) == nil)
    }

    @Test func `an empty login fills no template`() throws {
        let template = try DirectoryFilterTemplate("(mail={login})")
        #expect(template.filter(for: DirectoryLogin("")) == nil)
    }

    @Test func `a template knows its placeholders`() throws {
        #expect(try DirectoryFilterTemplate("(a=b)").placeholders.isEmpty)
        let template = try DirectoryFilterTemplate("(|(a={user})(b={domain})(c={user}))")
        #expect(template.placeholders == [.user, .domain])
    }

    @Test(arguments: [
        ("anna@kanzlei.example", "anna", "kanzlei.example"),
        ("a@b@kanzlei.example", "a@b", "kanzlei.example"),
        ("anna", "anna", nil),
        ("@x", "@x", nil),
        ("x@", "x@", nil),
    ])
    func `a login has a user and a domain`(login: String, user: String, domain: String?) {
        #expect(DirectoryLogin(login).user == user)
        #expect(DirectoryLogin(login).domain == domain)
    }
}

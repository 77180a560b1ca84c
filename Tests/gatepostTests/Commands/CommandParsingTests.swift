import ArgumentParser
import Testing

@testable import gatepost

/// Command lines: which are understood, and what is said of those that are not.
@Suite struct CommandParsingTests {
    @Test(arguments: [
        "init", "init /etc/gatepost --host ::1 --imap 0", "serve", "serve --config a.yaml",
        "service --user mail", "service", "demo", "doctor --json", "doctor",
        "user add a@x.example --password-stdin --role settings --os-user anna",
        "user list --json", "user show a@x.example", "user set a@x.example --role none",
        "user set a@x.example --os-user none", "user password a@x.example --password-file x",
        "user disable a@x.example", "user enable a@x.example", "user remove a@x.example --yes",
        "group add Team", "group join Team a@x.example group:Other", "group leave Team a@x.example",
        "group add Team --ldap (cn=team)", "group refresh", "group refresh Team",
        "init --source upstream", "init --ldap-server ldaps://x.example --ldap-base dc=x",
        "group list --json", "group show Team", "group remove Team --yes",
        "account add a@x.example --kind imap --imap m.example --password-stdin",
        "account add a@x.example --kind exchange", "account list",
        "account show a@x.example --json",
        "account set a@x.example --tls starttls", "account test a@x.example",
        "account remove a@x.example --yes", "grant add a@x.example b@x.example --view",
        "grant add a@x.example b@x.example --rights lrs --folder A --subtree --until 2026-01-01",
        "grant add a@x.example group:T --send on-behalf --no-check --reason x",
        "grant add a@x.example b@x.example --edit --send as",
        "grant remove a@x.example b@x.example --view --send",
        "grant remove a@x.example b@x.example --folder A/B --view",
        "grant restore a@x.example b@x.example",
        "user leave a@x.example --successor b@x.example --dry-run --json",
        "report orphans --days 30 --json", "sent list --json", "sent retry", "sent retry 1.A",
        "sent drop 1.A --yes", "transfer list --json",
        "grant list --account a@x.example --subject b@x.example --withdrawn --json",
        "wall add a@x.example b@x.example --reason x", "wall list",
        "wall remove a@x.example b@x.example",
        "consent list --as a@x.example --password-stdin", "consent confirm 12", "consent refuse 12",
        "session list --json", "session end 7", "session end --user a@x.example",
        "session end mail1/7", "store accept", "explain a@x.example b@x.example",
        "explain a@x.example b@x.example --folder A --json", "report", "report --json",
        "audit list --account a@x.example --user root --since 2026-01-01 --json",
        "audit list --limit 5 --until 2026-01-31 --json", "audit list --limit 5 --follow",
        "audit verify --seal 1:aa", "audit seal --yes", "export", "export model.json",
        "apply model.json --yes",
        "permissions load a@x.example --from a.json", "permissions diff",
        "permissions save --everyone",
        "permissions discard a@x.example",
    ])
    func `a line that is right is understood`(line: String) {
        let words = line.split(separator: " ").map(String.init)
        #expect(throws: Never.self) { _ = try GatepostCommand.parseAsRoot(words) }
    }

    /// A line, and what is said of it.
    @Test(arguments: [
        ("nonsense", "Unexpected argument"), ("user", ""),
        ("user add", "Missing expected argument"),
        ("user add a@x.example --role king", "--role"),
        ("user set a@x.example", "--role or --os-user"),
        ("user set a@x.example --role king", "--role must be administrator, settings or none"),
        ("init --imaps 70000", "port 70000 is out of range: use 0 to 65535"),
        ("init --imap -1", "--imap"),
        (
            "init --imaps 0 --imap 0 --submissions 0 --submission 0",
            "give at least one listener a port"
        ),
        ("session end", "--user LOGIN"), ("session end 7 --user a@x.example", "not both"),
        ("init --source magic", "--source"), ("group add Team --ldap cn=team", "parenthesis"),
        ("group add Team --ldap (cn={login})", "without placeholders"),
        ("init --host a_b", "a_b is not an address: use letters, digits"),
        ("init --host a\"b", "is not an address"),
        ("service --user a/b", "--user: use letters, digits, - and _"),
        ("service --user=", "--user"),
        ("account add a@x.example", "--kind"), ("account add a@x.example --kind pop", "--kind"),
        ("account set a@x.example --tls ssl", "--tls must be implicit, starttls or none"),
        (
            "grant add a@x.example b@x.example",
            "no right is named: use --view, --edit, --manage, --rights or --send"
        ),
        (
            "grant add a@x.example b@x.example --view --edit",
            "one of --view, --edit, --manage and --rights"
        ),
        (
            "grant add a@x.example b@x.example --view --rights l",
            "one of --view, --edit, --manage and --rights"
        ),
        (
            "grant add a@x.example b@x.example --rights lrz",
            "--rights lrz: use letters of lrswipkxte; `a` belongs to the owner"
        ),
        ("grant add a@x.example b@x.example --rights lra", "`a` belongs to the owner"),
        ("grant add a@x.example b@x.example --view --subtree", "--subtree needs --folder"),
        ("grant add a@x.example b@x.example --send all", "--send"),
        ("grant add a@x.example", "Missing expected argument"),
        ("consent confirm", "Missing expected argument"), ("consent confirm x", "x"),
        ("session end x", "x"), ("wall add a@x.example b@x.example", "--reason"),
        ("grant list --json=yes", "--json"), ("audit list --sinc x", "--sinc"),
        ("audit list --limit 0", "--limit"), ("audit list --limit x", "x"),
        ("audit list --follow --until 2026-01-01", "--follow"),
    ])
    func `a line that is wrong is no command, and its status is 2`(line: String, says: String) {
        let words = line.split(separator: " ").map(String.init)
        do {
            let command = try GatepostCommand.parseAsRoot(words)
            // A noun alone prints its help.
            #expect(says.isEmpty, "\(line): \(command)")
        } catch {
            let said = GatepostCommand.fullMessage(for: error)
            #expect(said.contains(says), "\(line): \(said)")
            #expect(GatepostCommand.exitCode(for: error) == .validationFailure)
        }
    }
}

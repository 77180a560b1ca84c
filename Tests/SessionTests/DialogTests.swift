import Foundation
import Testing

/// Runs every file in `Dialogs`: one conversation each, written as in the RFCs.
///
/// Anna is logged in, with her own account (delimiter `/`); Bob's account lies on a server with
/// delimiter `.`; `info@` is a function mailbox; Clara's account exists and is granted to nobody.
///
///     @grant bob account lr          a grant to Anna, in force from the start
///     @capabilities bob IMAP4REV1    what a server offers, in place of the usual set
///     @foreign bob Other Users.      a namespace in which the server shares others' mailboxes
///     @namespace bob . INBOX.        a server's delimiter, and the prefix of its personal namespace
///     @known bob / INBOX/            what was learnt of a server earlier; now it has this instead
///     @identified bob                a server that has still to answer the login's ID, with the tag ID1
///     @remembered bob current Akten  folders that another session listed; `aging`, `old`, `failing` as well
///     @exchange bob                  an account on Exchange
///     @login bob                     Anna logs in as LOGIN/ACCOUNT
///     @ownerless anna                an account without an owner
///     @subscribeShared off           what is shared does not count as subscribed
///     @down bob                      a server that cannot be reached
///     C: line                        the client sends a line
///     C+ octets                      the client sends octets without a line end (`\r\n` escapes)
///     S: line                        the gateway answers with exactly this line next
///     (A LIST "" "*" that the dialog does not write is answered with every folder that it names.)
///     U bob> line                    the server of an account receives exactly this line next
///     U bob< line                    and sends this one; `T` at the start stands for the tag
///     ! grant bob account lr         the permissions change to these, and no others
///     A: select allowed bob INBOX …  the audit log gets exactly this next; without one it is not read
///     ! shares bob INBOX x replace lr    the store is asked for this next
///     ! logs bob * LIST x            the log gets this line of a server next; without one it is not read
///     ! refuses unknown              and refuses what comes
///     ! revocations 2                so many times a response's last moment was set
///     ! revoked                      the time is over for a response whose account was revoked
///     ! unreadable                   subscriptions cannot be read from the store any more
///     ! leave                        the client's connection ends
///     ! unused                       the session looks for connections that nothing uses
///     ! awaits bob prompt            what a server owes the session (`nothing` if nothing)
///     ! silent bob                   a server was silent for too long
///     ! close bob                    a server's connection ends
///     ! server bob                   the account has another server, or another credential there
///     ! logged bob NO [LIMIT]: Full  a server's refusal was logged
///     ! forgotten bob                what was learnt of a server is to be learnt anew
///     ! drop bob                     the session has closed that connection
///     ! left bob                     the session has left it to its server to close it
///     ! journal forget               the journal got this next
///     ! hold                         the journal takes its time
///     ! full                         the journal cannot take another APPEND
///     ! written                      and has written what it got
///     ! resolves remains             what becomes of a transfer that is brought to its end
///     ! waited                       the client has waited long enough for servers that tell nothing
///     ! failing bob                  a server cannot be used now, and the folders kept last are known
///     ! folders keep bob Akten       the memory of folders got this next (refresh, change, stall)
///     ! report                       the time for a word about progress
///     ! paused bob 5000              and leaves the server alone for so many milliseconds
@Suite struct DialogTests {
    static let files: [String] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Dialogs")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".dialog") }.sorted()
    }()

    @Test func `there are dialogs to run`() {
        #expect(Self.files.count > 20)
    }

    @Test(arguments: files)
    func `the conversation goes as written`(file: String) throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Dialogs/\(file)")
        var dialog = try Dialog(try String(contentsOf: url, encoding: .utf8), name: file)
        try dialog.run(chunk: .max)
    }

    @Test(arguments: files)
    func `the conversation does not depend on where octets are cut`(file: String) throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Dialogs/\(file)")
        var dialog = try Dialog(try String(contentsOf: url, encoding: .utf8), name: file)
        try dialog.run(chunk: 1)
    }
}

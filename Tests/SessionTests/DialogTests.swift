import Foundation
import Testing

/// Runs every file in `Dialogs`: one conversation each, written as in the RFCs.
///
/// Anna is logged in, with her own account (delimiter `/`). Bob's account is on a server with the
/// delimiter `.`, `info@` is an account without an owner, and nobody has a grant on Clara's account.
///
/// Lines before the conversation:
///
///     @grant bob account lr          a grant to Anna, in force from the start
///     @capabilities bob IMAP4REV1    the capabilities of a server, in place of the usual ones
///     @foreign bob Other Users.      a namespace in which the server shares mailboxes of others
///     @namespace bob . INBOX.        a server's delimiter and the prefix of its personal namespace
///     @known bob / INBOX/            the server now has this namespace; an earlier connection found the other
///     @identified bob                the server has not answered the login's ID, with the tag ID1
///     @remembered bob current Akten  folders that another session listed; also `aging`, `old`, `failing`
///     @exchange bob                  an account on Exchange
///     @login bob                     Anna logs in as LOGIN/ACCOUNT
///     @ownerless anna                an account without an owner
///     @subscribeShared off           shared folders do not count as subscribed
///     @down bob                      a server that cannot be reached
///
/// Octets:
///
///     C: line                        the client sends a line
///     C+ octets                      the client sends octets without a line end (`\r\n` escapes)
///     S: line                        the client receives exactly this line next
///     U bob> line                    an account's server receives exactly this line next
///     U bob< line                    the server sends this line; `T` at the start stands for the tag
///
/// A `LIST "" "*"` whose answer the dialog does not contain is answered with every folder that the
/// dialog names.
///
/// Events for the session, and expected actions (`A:`, and `!` where the text says "has"):
///
///     ! grant bob account lr         these grants replace all others
///     ! revoke                       no grant is in force any more
///     A: select allowed bob INBOX …  the audit log has exactly this record next; checked if any is given
///     ! shares bob INBOX x replace lr    the store has this request for a change of grants next
///     ! refuses unknown              the store refuses the following requests
///     ! logs bob * LIST x            the log has this line of a server next; checked if any is given
///     ! logged bob NO [LIMIT]: Full  the log has this refusal of a server next
///     ! revocations 2                the revocation timer has been started so many times
///     ! revoked                      the revocation timer fires
///     ! unreadable                   the store cannot read subscriptions any more
///     ! leave                        the client's connection closes
///     ! unused                       the session closes unused connections
///     ! awaits bob prompt            the session has this answer outstanding at a server, or `nothing`
///     ! silent bob                   a server was silent for too long
///     ! close bob                    a server closes its connection
///     ! server bob                   the account gets another server or another credential
///     ! forgotten bob                the session has discarded the profile of a server
///     ! drop bob                     the session has closed a connection
///     ! left bob                     the session has left a connection for its server to close
///     ! paused bob 5000              the session has asked for a pause of a server, in milliseconds
///     ! journal forget               the journal has this request next
///     ! hold                         the journal does not answer yet
///     ! written                      the journal answers everything that it received
///     ! full                         the journal cannot record another APPEND
///     ! resolves remains             the journal's result of a transfer that has to be resolved
///     ! waited                       the time limit for servers that delay an answer passes
///     ! failing bob                  a server is unusable, and its cached folders are known
///     ! folders keep bob Akten       the folder cache has this request next (keep, refresh, change, stall)
///     ! report                       the report timer fires
///     ! poll                         the poll timer fires
///     ! end                          the session has closed the client's connection
@Suite struct DialogTests {
    static let files: [String] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Dialogs")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".dialog") }.sorted()
    }()

    @Test func `the directory contains dialogs`() {
        #expect(Self.files.count > 20)
    }

    @Test(arguments: files)
    func `the session sends exactly what the dialog contains`(file: String) throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Dialogs/\(file)")
        var dialog = try Dialog(try String(contentsOf: url, encoding: .utf8), name: file)
        try dialog.run(chunk: .max)
    }

    @Test(arguments: files)
    func `the session sends the same when octets arrive one by one`(file: String) throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Dialogs/\(file)")
        var dialog = try Dialog(try String(contentsOf: url, encoding: .utf8), name: file)
        try dialog.run(chunk: 1)
    }
}

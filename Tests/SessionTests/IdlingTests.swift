import IMAP
import NIOCore
import Testing

@testable import Session

/// The state machine of IDLE, without a session.
@Suite struct IdlingTests {
    private static let tag = ByteBuffer(string: "a1")

    private static func run(
        watcher: Idling.Watcher,
        chunk: Int = .max,
        _ script: String
    ) throws {
        var context = try RecordedContext()
        context.connect("anna", "IDLE")
        context.select("anna")
        let idling = Idling(tag: Self.tag, watcher: watcher)
        try MachineScript.run(idling, in: context, chunk: chunk, script: script) {
            idling.begin(in: &$0)
        }
    }

    @Test(arguments: [1, 2, .max])
    func `IDLE runs at the server until the client sends DONE`(chunk: Int) throws {
        try Self.run(
            watcher: .upstream(1),
            chunk: chunk,
            """
            U anna> T IDLE
            U anna< + idling
            S: + idling
            C: DONE
            U anna> DONE
            U anna< T OK Idle done.
            S: a1 OK IDLE completed
            """
        )
    }

    @Test func `a line that arrives before the server idles waits`() throws {
        try Self.run(
            watcher: .upstream(1),
            """
            U anna> T IDLE
            C: DONE
            U anna< + idling
            S: + idling
            U anna> DONE
            U anna< T OK Idle done.
            S: a1 OK IDLE completed
            """
        )
    }

    @Test func `another line than DONE ends IDLE at the server and is answered BAD`() throws {
        try Self.run(
            watcher: .upstream(1),
            """
            U anna> T IDLE
            U anna< + idling
            S: + idling
            C: a2 NOOP
            strike
            U anna> DONE
            U anna< T OK Idle done.
            S: a1 BAD Syntax error
            """
        )
    }

    @Test func `a line that announces a literal ends the connection`() throws {
        try Self.run(
            watcher: .upstream(1),
            """
            U anna> T IDLE
            U anna< + idling
            S: + idling
            C: a2 LOGIN {4}
            S: * BYE Syntax error
            end
            """
        )
    }

    @Test(arguments: ["U anna< T NO Not now.", "U anna< T OK Idle done.", "! lost anna"])
    func `the command fails if the server ends IDLE`(end: String) throws {
        try Self.run(
            watcher: .upstream(1),
            """
            U anna> T IDLE
            U anna< + idling
            S: + idling
            \(end)
            S: a1 NO [UNAVAILABLE] The mail server of this mailbox cannot be used now
            """
        )
    }

    @Test func `the command fails without a continuation if the server refuses IDLE`() throws {
        try Self.run(
            watcher: .upstream(1),
            """
            U anna> T IDLE
            U anna< T BAD No.
            S: a1 NO [UNAVAILABLE] The mail server of this mailbox cannot be used now
            """
        )
    }

    @Test func `without a selected mailbox the gateway idles by itself`() throws {
        try Self.run(
            watcher: .nobody,
            """
            S: + idling
            ! polled
            ! lost anna
            C: DONE
            S: a1 OK IDLE completed
            """
        )
    }

    @Test func `a server without IDLE is polled`() throws {
        try Self.run(
            watcher: .polled(1),
            """
            poll later
            S: + idling
            ! polled
            poll later
            U anna> T NOOP
            ! polled
            poll later
            C: DONE
            S: a1 OK IDLE completed
            """
        )
    }

    @Test func `the command fails if the connection to the polled server is lost`() throws {
        try Self.run(
            watcher: .polled(1),
            """
            poll later
            S: + idling
            ! lost anna
            S: a1 NO [UNAVAILABLE] The mail server of this mailbox cannot be used now
            """
        )
    }

    @Test func `a server has to answer before the continuation and after DONE`() throws {
        var context = try RecordedContext()
        context.connect("anna", "IDLE")
        let idling = Idling(tag: Self.tag, watcher: .upstream(1))
        idling.begin(in: &context)
        #expect(idling.awaitedAnswer(of: 1, isInFlight: true) == .prompt)
        #expect(try idling.received(.continued, from: 1, in: &context))
        #expect(idling.awaitedAnswer(of: 1, isInFlight: true) == nil)
        idling.lineReceived(ByteBuffer(string: "DONE"), in: &context)
        #expect(idling.awaitedAnswer(of: 1, isInFlight: true) == .prompt)
        #expect(try !idling.received(.continued, from: 1, in: &context))
    }
}

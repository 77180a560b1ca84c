import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The state machine of one command on its way, held by a session until the command is answered.
///
/// A reference, because each response looks at it and a look must copy nothing; it belongs to one session.
protocol RunningCommand: AnyObject {
    /// Something happened at an account's server.
    ///
    /// - Returns: false where it does not concern the command.
    /// - Throws: where the server broke the protocol; its connection is dropped then.
    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool

    /// Other permissions are in force.
    func permissionsChanged(in context: inout some CommandContext)

    /// Whether the permissions in force end what the command does at an account's server.
    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool

    /// What an account's server, with a command in flight or between two commands, has to do next for the
    /// command.
    ///
    /// - Parameter isInFlight: whether a command waits for its answer there.
    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer?
}

extension RunningCommand {
    func permissionsChanged(in context: inout some CommandContext) {}

    func isForbidden(at account: AccountID, in context: inout some CommandContext) -> Bool {
        false
    }

    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer? {
        isInFlight ? .prompt : nil
    }
}

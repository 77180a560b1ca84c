import Access
import NIOCore
import Store

/// Lists and ends the sessions of this gateway for administrators' commands: over the control
/// socket, and over a store that several nodes share.
struct SessionRequests: Sendable {
    let sessions: any ControlledSessions
    let audit: AuditLog

    /// Performs a request.
    /// - Parameters:
    ///   - number: the session to end; nil for the list of all.
    ///   - actor: the administrator, for the audit log.
    /// - Returns: a future on `loop`.
    func answer(
        end number: UInt64?,
        actor: String,
        on loop: any EventLoop
    ) -> EventLoopFuture<ControlMessage.Answer> {
        guard let number else {
            return self.sessions.sessions(on: loop).map { sessions in
                var answer = ControlMessage.Answer()
                answer.sessions = sessions.sorted { $0.session < $1.session }
                return answer
            }
        }
        return self.sessions.endSession(number, on: loop).map { [audit] ended in
            var answer = ControlMessage.Answer()
            answer.hasEnded = ended != nil
            if let ended {
                var record = AuditRecord(event: "session end", actor: actor, from: "command line")
                record.detail = ["session \(number) of \(ended.user)"]
                audit.append(record)
            }
            return answer
        }
    }
}

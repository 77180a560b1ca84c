import Foundation

/// The InvokeCommand interface of Exchange Online: it runs a cmdlet by name.
extension MicrosoftTestServer {
    /// A cmdlet and its parameters: the body of a request.
    struct Command: Decodable {
        struct Input: Decodable {
            var name: String
            var parameters: [String: String]

            enum CodingKeys: String, CodingKey {
                case name = "CmdletName"
                case parameters = "Parameters"
            }
        }

        var input: Input

        enum CodingKeys: String, CodingKey {
            case input = "CmdletInput"
        }
    }

    /// Answers a request to InvokeCommand.
    static func command(
        _ authorization: String?,
        body: Data,
        state: inout State
    ) -> HTTPAnswer {
        state.times.append(.now)
        var fault: Fault?
        if !state.faults.isEmpty { fault = state.faults.removeFirst() }
        if case .status(let status, let headers, let body)? = fault {
            return HTTPAnswer(status: status, headers: headers, body: body)
        }
        if case .revocation? = fault { state.tokens = [:] }
        guard Self.isGood(authorization, state: state) else { return HTTPAnswer(status: 401) }
        guard let command = try? JSONDecoder().decode(Command.self, from: body).input else {
            return HTTPAnswer(status: 400)
        }
        guard !state.refused.contains(command.name) else { return HTTPAnswer(status: 403) }
        let identity = command.parameters["Identity"]
        state.commands.append("\(command.name) \(identity ?? "")")
        guard let rows = state.organization.rows(command.name, identity: identity) else {
            return self.notFound(identity ?? "")
        }
        var answer: [String: Any] = [
            "@odata.context":
                "https://outlook.office365.com/adminapi/beta/\(Self.tenant)/$metadata#Collection(Exchange.GenericHashTable)",
            "adminapi.warnings@odata.type": "#Collection(String)", "@adminapi.warnings": [String](),
            "value": rows,
        ]
        // Without ResultSize Unlimited, a cmdlet returns the first thousand rows and a warning.
        let lists = command.name != "Get-Mailbox" && command.name != "Get-MailboxFolderStatistics"
        let isCut =
            lists && command.name != "Get-ServicePrincipal"
            && command.parameters["ResultSize"] != "Unlimited"
        var isWarned = isCut
        if case .warning? = fault { isWarned = true }
        if isWarned {
            answer["@adminapi.warnings"] = [
                "There are more results available than are currently displayed. To view them, "
                    + "increase the value for the ResultSize parameter."
            ]
        }
        if case .nextLink? = fault { answer["@odata.nextLink"] = "https://localhost/next" }
        let octets = (try? JSONSerialization.data(withJSONObject: answer)) ?? Data()
        return HTTPAnswer(body: String(decoding: octets, as: UTF8.self))
    }
}

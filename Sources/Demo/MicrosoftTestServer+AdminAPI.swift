import Foundation

/// The Admin API v2.0 of Exchange Online: one endpoint for each cmdlet, POST, results in pages.
extension MicrosoftTestServer {
    /// The behaviour of the Admin API, and a record of its requests.
    package struct DocumentedState: Sendable {
        /// The results of the next requests, instead of an answer.
        package var faults: [Fault] = []
        /// The result of every request to an endpoint, by endpoint.
        package var refusals: [String: Fault] = [:]
        /// The number of rows in a page.
        package var pageRows = 1_000
        /// The server in links to pages; nil for this server.
        package var pageServer: String?
        /// The number of page requests to answer with "expired".
        package var expirations = 0
        /// Whether the last page links to the first one.
        package var hasEndlessPages = false
        /// Columns to omit from rows.
        package var missingColumns: Set<String> = []
        /// The answered requests: endpoint, cmdlet and identity, one for each page.
        package var commands: [String] = []

        /// Makes every endpoint answer with a status.
        package mutating func refuseAll(_ status: Int, body: String = "") {
            for endpoint in MicrosoftTestServer.endpoints.keys {
                self.refusals[endpoint] = .status(status, headers: [:], body: body)
            }
        }
    }

    static let documentedPath = "/adminapi/v2.0/\(tenant)/"

    private static let endpoints = [
        "Mailbox": "Get-Mailbox", "MailboxFolderPermission": "Get-MailboxFolderPermission",
        "DistributionGroupMember": "Get-DistributionGroupMember",
        "DynamicDistributionGroupMember": "Get-DynamicDistributionGroupMember",
    ]

    private static let parameters: Set<String> = [
        "Identity", "ResultSize", "IncludeGrantSendOnBehalfToWithDisplayNames",
    ]

    /// Answers a request to an endpoint.
    func documentedAnswer(
        _ path: String,
        authorization: String?,
        body: Data,
        state: inout State
    ) -> HTTPAnswer {
        let place = path.dropFirst(Self.documentedPath.count).split(separator: "?", maxSplits: 1)
        let endpoint = place.first.map(String.init) ?? ""
        var fault = state.documented.refusals[endpoint]
        if !state.documented.faults.isEmpty { fault = state.documented.faults.removeFirst() }
        if case .status(let status, let headers, let body)? = fault {
            return HTTPAnswer(status: status, headers: headers, body: body)
        }
        if case .revocation? = fault { state.tokens = [:] }
        guard Self.isGood(authorization, state: state) else { return HTTPAnswer(status: 401) }
        guard let command = try? JSONDecoder().decode(Command.self, from: body).input,
            Self.endpoints[endpoint] == command.name,
            Self.parameters.isSuperset(of: command.parameters.keys)
        else {
            return HTTPAnswer(
                status: 400,
                body: #"{"error":{"code":"BadRequest","message":"Not a cmdlet of this endpoint."}}"#
            )
        }
        let identity = command.parameters["Identity"] ?? ""
        guard let rows = state.organization.rows(command.name, identity: identity) else {
            return Self.notFound(identity)
        }
        state.commands.append("\(command.name) \(identity)")
        state.documented.commands.append("\(endpoint) \(command.name) \(identity)")
        return self.page(
            of: rows,
            endpoint: endpoint,
            query: place.dropFirst().first.map(String.init),
            fault: fault,
            state: &state
        )
    }

    /// One page of the rows.
    /// - Parameter query: `skip=N`; nil for the first page.
    private func page(
        of rows: [[String: any Sendable]],
        endpoint: String,
        query: String?,
        fault: Fault?,
        state: inout State
    ) -> HTTPAnswer {
        let skipped = query.flatMap { Int($0.dropFirst("skip=".count)) } ?? 0
        if query != nil, state.documented.expirations > 0 {
            state.documented.expirations -= 1
            return HTTPAnswer(
                status: 400,
                body: #"{"error":{"code":"BadRequest","message":"Expired or Invalid pagination "#
                    + #"request. Default Expiry time is 00:30:00"}}"#
            )
        }
        let shown = rows.dropFirst(skipped).prefix(state.documented.pageRows).map { row in
            row.filter { !state.documented.missingColumns.contains($0.key) }
        }
        var answer: [String: Any] = [
            "@odata.context": "https://outlook.office365.com\(Self.documentedPath)$metadata",
            "@adminapi.warnings": [String](), "value": shown,
        ]
        let end = skipped + shown.count
        let isLast = end >= rows.count
        if !isLast || state.documented.hasEndlessPages && query != nil {
            let server = state.documented.pageServer ?? "https://localhost:\(self.port)"
            let next = isLast ? 0 : end
            answer["@odata.nextLink"] = "\(server)\(Self.documentedPath)\(endpoint)?skip=\(next)"
            answer["@adminapi.warnings"] = [
                "There are more results available than are currently displayed. To view them, "
                    + "increase the value for the ResultSize parameter."
            ]
        }
        if case .warning? = fault { answer["@adminapi.warnings"] = ["The object is corrupted."] }
        if case .nextLink? = fault { answer["@odata.nextLink"] = 7 }
        let octets = (try? JSONSerialization.data(withJSONObject: answer)) ?? Data()
        return HTTPAnswer(body: String(decoding: octets, as: UTF8.self))
    }
}

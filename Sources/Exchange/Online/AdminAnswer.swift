import Foundation

/// A response of one of Exchange Online's administration interfaces.
struct AdminAnswer {
    let cmdlet: Cmdlet
    let answer: MicrosoftHTTPClient.Answer

    init(_ cmdlet: Cmdlet, answer: MicrosoftHTTPClient.Answer) {
        self.cmdlet = cmdlet
        self.answer = answer
    }

    // MARK: - Rows

    /// All rows of the response.
    /// - Throws: `OnlineError` if the response is no list, or may be incomplete.
    func rows() throws -> [JSONValue] {
        let (rows, value) = try self.list()
        try self.checkWhole(value)
        return rows
    }

    /// The rows of one page, and the link to the next page; nil for the last page.
    /// - Throws: `OnlineError` if the response is no list, or may be incomplete.
    func page() throws -> (rows: [JSONValue], next: String?) {
        let (rows, value) = try self.list()
        guard let next = value["@odata.nextLink"], next != .null else {
            try self.checkWhole(value)
            return (rows, nil)
        }
        try self.checkPage(value["@adminapi.warnings"])
        guard let link = next.string else {
            throw OnlineError("\(self.cmdlet.rawValue) returned a next page that is not a link")
        }
        return (rows, link)
    }

    /// Accepts only the warning that more pages follow, on a page that is not the last.
    private func checkPage(_ warnings: JSONValue?) throws {
        var other: String?
        switch warnings {
        case nil, .null?: return
        case .array(let warnings)?:
            other =
                warnings.map { $0.string ?? "a warning" }
                .first { !$0.contains("more results") }
        case .bool?, .number?, .string?, .object?: other = "a warning that cannot be read"
        }
        guard let other else { return }
        throw OnlineError("\(self.cmdlet.rawValue) may be incomplete: \(other.prefix(200))")
    }

    private func list() throws -> (rows: [JSONValue], value: JSONValue) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: self.answer.body),
            case .array(let rows)? = value["value"]
        else {
            throw OnlineError("\(self.cmdlet.rawValue) returned something that is not a list")
        }
        return (rows, value)
    }

    private func checkWhole(_ value: JSONValue) throws {
        do {
            try PermissionsReader.checkWhole(value, file: self.cmdlet.rawValue)
        } catch {
            throw OnlineError("\(error)")
        }
    }

    // MARK: - Errors

    /// Whether the interface refuses the request. A busy server does not count as refusal.
    var isRefusal: Bool {
        (400...501).contains(self.answer.status) && self.answer.status != 408
            && !AdminTransport.isTransient(self.answer)
    }

    /// Whether the link to a page has expired.
    var isExpiredPage: Bool {
        [400, 410].contains(self.answer.status)
            && String(decoding: self.answer.body, as: UTF8.self).contains("pagination request")
    }

    /// The reason why the Admin API v2.0 refuses.
    func documentedReason(tenant: String) -> String {
        switch self.answer.status {
        case 401:
            "the application has no application permission Exchange.ManageAsAppV2 on Office 365 "
                + "Exchange Online, or no administrator consent to it"
        case 403:
            "no role of the application allows \(self.cmdlet.rawValue): add it to the Exchange role "
                + "group Recipient Management"
        case 404 where UUID(uuidString: tenant) == nil:
            "exchange.tenant must be the tenant's GUID (HTTP 404)"
        case 404:
            "it is not offered to this organisation (HTTP 404)"
        default:
            self.sentence
        }
    }

    /// The reason why `InvokeCommand` refuses, with the remedy.
    var commandError: OnlineError {
        let export = "; or load an export: gatepost permissions export-script"
        switch self.answer.status {
        case 401:
            return OnlineError(
                "Exchange refuses the application: give it the application permission "
                    + "Exchange.ManageAsApp on Office 365 Exchange Online, and administrator consent"
                    + export
            )
        case 403:
            return OnlineError(
                "the application may not run \(self.cmdlet.rawValue): give it the Entra role Global "
                    + "Reader, or an Exchange role group with View-Only Recipients" + export
            )
        default: return self.error
        }
    }

    /// The error of a response that is neither a refusal nor a success.
    var error: OnlineError {
        switch self.answer.status {
        case 300..<400:
            let host = self.answer.location.flatMap { URL(string: $0)?.host }
            return OnlineError(
                "Exchange redirects to \(host ?? "another server") (HTTP \(self.answer.status)), which "
                    + "must not get the application's token: "
                    + "check exchange.cloud and exchange.exchangeURL"
            )
        case 429, 502, 503, 504:
            let time = self.answer.retryAfter.map { " in \($0) seconds" } ?? " later"
            return OnlineError("Exchange is busy (HTTP \(self.answer.status)): load again\(time)")
        default: return OnlineError("\(self.cmdlet.rawValue): \(self.sentence)")
        }
    }

    /// The text that explains the error. It is deep in the response, since `error.message` is often
    /// `Invalid Operation`. A 403 may have a body of some KiB of NUL.
    private var sentence: String {
        let value = try? JSONDecoder().decode(JSONValue.self, from: self.answer.body)
        let error = value?["error"]
        let inner = error?["innererror"]?["internalexception"]?["message"]?.string
        var detail: String?
        if case .array(let details)? = error?["details"] {
            detail = details.first?["message"]?.string
        }
        let text = inner ?? detail ?? error?["message"]?.string ?? "HTTP \(self.answer.status)"
        return String(Self.withoutTokens(Self.withoutType(text)).prefix(400))
    }

    /// Removes tokens: a response may repeat the request.
    private static func withoutTokens(_ text: String) -> String {
        text.split(separator: " ").map { $0.contains("eyJ") ? "…" : $0 }.joined(separator: " ")
    }

    /// Removes the type name in `|Microsoft.Exchange.….ManagementObjectNotFoundException|The
    /// operation …`
    private static func withoutType(_ text: String) -> String {
        guard text.hasPrefix("|"), let end = text.dropFirst().firstIndex(of: "|") else {
            return text
        }
        return String(text[text.index(after: end)...])
    }
}

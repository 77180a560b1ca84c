import Foundation

/// An answer of one of the administration interfaces of Exchange Online.
struct AdminAnswer {
    let cmdlet: Cmdlet
    let answer: MicrosoftHTTPClient.Answer

    init(_ cmdlet: Cmdlet, answer: MicrosoftHTTPClient.Answer) {
        self.cmdlet = cmdlet
        self.answer = answer
    }

    // MARK: - Rows

    /// All rows.
    /// - Throws: where it is no list, or may be cut.
    func rows() throws -> [JSONValue] {
        let (rows, value) = try self.list()
        try self.checkWhole(value)
        return rows
    }

    /// The rows of a page, and where the next one is; nil where it is the last one.
    /// - Throws: where it is no list, or may be cut.
    func page() throws -> (rows: [JSONValue], next: String?) {
        let (rows, value) = try self.list()
        guard let next = value["@odata.nextLink"], next != .null else {
            try self.checkWhole(value)
            return (rows, nil)
        }
        try self.checkPage(value["@adminapi.warnings"])
        guard let link = next.string else {
            throw OnlineError("\(self.cmdlet.rawValue) answered with a next page that is no link")
        }
        return (rows, link)
    }

    /// A page that is not the last may warn of the others, and of nothing else.
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
        throw OnlineError("\(self.cmdlet.rawValue) may be cut: \(other.prefix(200))")
    }

    private func list() throws -> (rows: [JSONValue], value: JSONValue) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: self.answer.body),
            case .array(let rows)? = value["value"]
        else {
            throw OnlineError("\(self.cmdlet.rawValue) answered something that is no list")
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

    // MARK: - Refusals

    /// Whether the interface refuses the question. A busy server is no refusal.
    var isRefusal: Bool {
        (400...501).contains(self.answer.status) && self.answer.status != 408
            && !AdminTransport.isTransient(self.answer)
    }

    /// Whether the link to a page is no longer good.
    var isExpiredPage: Bool {
        [400, 410].contains(self.answer.status)
            && String(decoding: self.answer.body, as: UTF8.self).contains("pagination request")
    }

    /// Why the Admin API v2.0 refuses.
    func documentedReason(tenant: String) -> String {
        switch self.answer.status {
        case 401:
            "the application has no application permission Exchange.ManageAsAppV2 on Office 365 "
                + "Exchange Online, or no administrator consent to it"
        case 403:
            "no role of the application allows \(self.cmdlet.rawValue): add it to the Exchange role "
                + "group Recipient Management"
        case 404 where UUID(uuidString: tenant) == nil:
            "it wants the tenant's GUID in exchange.tenant (HTTP 404)"
        case 404:
            "it is not offered to this organisation (HTTP 404)"
        default:
            self.sentence
        }
    }

    /// Why `InvokeCommand` does not answer, and what to do.
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

    /// What is wrong with an answer that is no refusal.
    var error: OnlineError {
        switch self.answer.status {
        case 300..<400:
            let host = self.answer.location.flatMap { URL(string: $0)?.host }
            return OnlineError(
                "Exchange sends the request to \(host ?? "another place") (HTTP "
                    + "\(self.answer.status)), and the application's token goes to no other server: "
                    + "check exchange.cloud and exchange.exchangeURL"
            )
        case 429, 502, 503, 504:
            let time = self.answer.retryAfter.map { " in \($0) seconds" } ?? " later"
            return OnlineError("Exchange is busy (HTTP \(self.answer.status)): load again\(time)")
        default: return OnlineError("\(self.cmdlet.rawValue): \(self.sentence)")
        }
    }

    /// The sentence that says what is wrong lies deep in the answer; `error.message` is often
    /// `Invalid Operation`. A 403 may be some KiB of NUL.
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

    /// An answer may repeat what it was asked with.
    private static func withoutTokens(_ text: String) -> String {
        text.split(separator: " ").map { $0.contains("eyJ") ? "…" : $0 }.joined(separator: " ")
    }

    /// `|Microsoft.Exchange.….ManagementObjectNotFoundException|The operation …`
    private static func withoutType(_ text: String) -> String {
        guard text.hasPrefix("|"), let end = text.dropFirst().firstIndex(of: "|") else {
            return text
        }
        return String(text[text.index(after: end)...])
    }
}

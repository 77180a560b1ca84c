import Foundation

/// The token endpoint of Entra (RFC 6749 §4.4).
extension MicrosoftTestServer {
    /// Decodes a body of the type `application/x-www-form-urlencoded`.
    static func form(_ body: Data) -> [String: String] {
        var components = URLComponents()
        components.percentEncodedQuery = String(decoding: body, as: UTF8.self)
        return Dictionary((components.queryItems ?? []).map { ($0.name, $0.value ?? "") }) { $1 }
    }

    /// Answers a token request with the client credentials grant.
    static func token(_ body: Data, state: inout State) -> HTTPAnswer {
        state.tokenRequests += 1
        if !state.tokenFaults.isEmpty,
            case .status(let status, let headers, let body) =
                state.tokenFaults.removeFirst()
        {
            return HTTPAnswer(status: status, headers: headers, body: body)
        }
        let form = Self.form(body)
        guard form["client_id"] == Self.application else {
            return Self.refusal(
                400,
                error: "unauthorized_client",
                code: 700_016,
                text: "Application with identifier '\(form["client_id"] ?? "")' was not found."
            )
        }
        let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        let isProved =
            form["client_secret"] == Self.secret
            || form["client_assertion_type"] == assertionType
                && state.isAssertionGood(form["client_assertion"] ?? "")
        guard isProved else {
            return Self.refusal(
                401,
                error: "invalid_client",
                code: 7_000_215,
                text:
                    "Invalid client secret provided. Ensure the secret being sent in the request is the "
                    + "client secret value, not the client secret ID."
            )
        }
        guard form["grant_type"] == "client_credentials",
            form["scope"] == "https://outlook.office365.com/.default"
        else {
            return Self.refusal(
                400,
                error: "invalid_scope",
                code: 70_011,
                text: "The provided scope is not valid."
            )
        }
        let token = "eyJ" + String(repeating: UUID().uuidString, count: 30)
        state.tokens[token] = Date().addingTimeInterval(TimeInterval(state.tokenSeconds))
        let seconds = state.tokenSeconds
        return HTTPAnswer(
            body: #"{"token_type":"Bearer","expires_in":\#(seconds),"ext_expires_in":\#(seconds),"#
                + #""access_token":"\#(token)"}"#
        )
    }

    /// An error response of the token endpoint (RFC 6749 §5.2).
    static func refusal(
        _ status: Int,
        error: String,
        code: Int,
        text: String
    ) -> HTTPAnswer {
        HTTPAnswer(
            status: status,
            body:
                #"{"error":"\#(error)","error_description":"AADSTS\#(code): \#(text)\r\nTrace ID: 0"#
                + #"","error_codes":[\#(code)],"timestamp":"2026-01-02 21:00:26Z","trace_id":"0","#
                + #""correlation_id":"0","#
                + #""error_uri":"https://login.microsoftonline.com/error?code=\#(code)"}"#
        )
    }
}

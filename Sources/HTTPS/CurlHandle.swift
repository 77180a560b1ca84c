import CCurl
import Foundation

/// An easy handle of libcurl with its open connections. It stays on the thread that created it.
final class CurlHandle {
    /// The response of one request, as libcurl delivers it.
    fileprivate final class Answer {
        var headers: [HTTPSHeader] = []
        var body: [UInt8] = []
        /// Whether the body exceeds ``maximumOctets``.
        var isTooLong = false
        /// The octets of all header lines, those of interim responses included.
        var headerOctets = 0
        /// Whether the header lines exceed ``CurlHandle/maximumHeaderOctets``.
        var isHeaderTooLong = false
        /// Whether the empty line after the header fields has arrived. libcurl accepts a connection
        /// that ends within the fields.
        var hasAllHeaders = false
        /// The most octets of the body.
        let maximumOctets: Int
        /// Whether the request must end: the client is shut down.
        let isAborted: () -> Bool

        init(maximumOctets: Int, isAborted: @escaping () -> Bool) {
            self.maximumOctets = maximumOctets
            self.isAborted = isAborted
        }
    }

    /// The most octets of all header lines of a response: a hostile server could fill the memory
    /// with endless fields or interim responses. Microsoft's responses have about 2 KiB.
    fileprivate static let maximumHeaderOctets = 64 * 1_024

    private let curl: UnsafeMutableRawPointer?
    private let caFile: String?
    private let limits: HTTPSLimits
    private let isAborted: () -> Bool

    /// The initialization of libcurl, once for the process.
    ///
    /// The process ignores SIGPIPE from here on: `CURLOPT_NOSIGNAL` keeps libcurl from ignoring it
    /// while OpenSSL writes to a connection that the server has closed.
    private static let isReady: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return gp_curl_global_init() == CURLE_OK
    }()

    /// - Parameter isAborted: whether a request in flight must end; libcurl asks at least once a
    ///   second.
    init(caFile: String?, limits: HTTPSLimits, isAborted: @escaping () -> Bool) {
        self.isAborted = isAborted
        self.curl = Self.isReady ? curl_easy_init() : nil
        self.caFile = caFile
        self.limits = limits
    }

    deinit {
        if let curl = self.curl { curl_easy_cleanup(curl) }
    }

    /// Sends a request and blocks until its response is complete.
    func perform(_ request: HTTPSRequest) -> Result<HTTPSResponse, HTTPSError> {
        guard let curl = self.curl else {
            return .failure(HTTPSError("libcurl has no memory"))
        }
        let answer = Answer(maximumOctets: self.limits.bodyOctets, isAborted: self.isAborted)
        var fields: UnsafeMutablePointer<curl_slist>?
        defer {
            // A reset clears the options, which point at values of this request, and keeps the
            // connections.
            curl_easy_reset(curl)
            curl_slist_free_all(fields)
        }
        // Without an empty Expect field, libcurl waits for 100 Continue before a large body.
        for (name, value) in request.headers + [("Expect", "")] {
            let line = value.isEmpty ? "\(name):" : "\(name): \(value)"
            guard !line.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }),
                let longer = curl_slist_append(fields, line)
            else { return .failure(HTTPSError("a header field is not valid")) }
            fields = longer
        }
        guard self.configure(curl, for: request, fields: fields, answer: answer) else {
            return .failure(HTTPSError("this libcurl lacks an option"))
        }
        let code = Self.perform(curl, body: request.body)
        guard code == CURLE_OK else {
            return .failure(HTTPSError(self.reason(of: code, answer: answer)))
        }
        guard answer.hasAllHeaders else {
            return .failure(HTTPSError("the response is truncated"))
        }
        var status = 0
        _ = gp_curl_get_long(curl, CURLINFO_RESPONSE_CODE, &status)
        return .success(
            HTTPSResponse(status: status, headers: answer.headers, body: answer.body)
        )
    }

    /// The reason of a failed request.
    private func reason(of code: CURLcode, answer: Answer) -> String {
        if code == CURLE_ABORTED_BY_CALLBACK { return "the HTTPS client is shut down" }
        if answer.isTooLong {
            return "the response is longer than \(self.limits.bodyOctets) octets"
        }
        if answer.isHeaderTooLong {
            return "the response's header is longer than \(Self.maximumHeaderOctets) octets"
        }
        return String(cString: curl_easy_strerror(code))
    }

    /// Sets all options except the body.
    private func configure(
        _ curl: UnsafeMutableRawPointer,
        for request: HTTPSRequest,
        fields: UnsafeMutablePointer<curl_slist>?,
        answer: Answer
    ) -> Bool {
        let argument = Unmanaged.passUnretained(answer).toOpaque()
        var codes = [
            gp_curl_set_string(curl, CURLOPT_URL, request.url),
            gp_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "https"),
            gp_curl_set_long(curl, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            // Without signals: libcurl's timer for name resolution is unsafe in a process with
            // threads.
            gp_curl_set_long(curl, CURLOPT_NOSIGNAL, 1),
            gp_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT, self.limits.connectSeconds),
            gp_curl_set_long(curl, CURLOPT_TIMEOUT, self.limits.totalSeconds),
            gp_curl_set_long(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            gp_curl_set_headers(curl, fields),
            gp_curl_set_callback(curl, CURLOPT_HEADERFUNCTION, headerReceived),
            gp_curl_set_pointer(curl, CURLOPT_HEADERDATA, argument),
            gp_curl_set_callback(curl, CURLOPT_WRITEFUNCTION, bodyReceived),
            gp_curl_set_pointer(curl, CURLOPT_WRITEDATA, argument),
            gp_curl_set_long(curl, CURLOPT_NOPROGRESS, 0),
            gp_curl_set_progress(curl, progressMade, argument),
            gp_curl_set_quick_exit(curl),
        ]
        if let caFile = self.caFile {
            codes.append(gp_curl_set_string(curl, CURLOPT_CAINFO, caFile))
            // The file replaces the system's certificates.
            codes.append(gp_curl_set_string(curl, CURLOPT_CAPATH, nil))
        }
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    /// Performs the request. The body must not move until it ends.
    private static func perform(_ curl: UnsafeMutableRawPointer, body: [UInt8]?) -> CURLcode {
        guard let body else { return curl_easy_perform(curl) }
        guard !body.isEmpty else {
            let code = gp_curl_set_string(curl, CURLOPT_COPYPOSTFIELDS, "")
            return code == CURLE_OK ? curl_easy_perform(curl) : code
        }
        return body.withUnsafeBytes { octets in
            let codes = [
                gp_curl_set_long(curl, CURLOPT_POST, 1),
                gp_curl_set_size(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(octets.count)),
                gp_curl_set_pointer(
                    curl,
                    CURLOPT_POSTFIELDS,
                    UnsafeMutableRawPointer(mutating: octets.baseAddress)
                ),
            ]
            return codes.first { $0 != CURLE_OK } ?? curl_easy_perform(curl)
        }
    }
}

/// libcurl's callback during a request, at least once a second. Another return value than 0 aborts
/// the request.
private func progressMade(
    argument: UnsafeMutableRawPointer?,
    expectedDown: curl_off_t,
    down: curl_off_t,
    expectedUp: curl_off_t,
    up: curl_off_t
) -> CInt {
    guard let argument else { return 1 }
    let answer = Unmanaged<CurlHandle.Answer>.fromOpaque(argument).takeUnretainedValue()
    return answer.isAborted() ? 1 : 0
}

/// libcurl's callback for a header line or a status line. A smaller return value than the count
/// aborts the request.
private func headerReceived(
    octets: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    argument: UnsafeMutableRawPointer?
) -> Int {
    guard let octets, let argument else { return 0 }
    let answer = Unmanaged<CurlHandle.Answer>.fromOpaque(argument).takeUnretainedValue()
    answer.headerOctets += size * count
    guard answer.headerOctets <= CurlHandle.maximumHeaderOctets else {
        answer.isHeaderTooLong = true
        return 0
    }
    let line = String(
        decoding: UnsafeRawBufferPointer(start: octets, count: size * count),
        as: UTF8.self
    )
    if line.hasPrefix("HTTP/") {
        // An interim response, such as 100 Continue, has its own fields: drop them.
        answer.headers = []
        answer.hasAllHeaders = false
    } else if line == "\r\n" || line == "\n" {
        answer.hasAllHeaders = true
    } else if let colon = line.firstIndex(of: ":") {
        answer.headers.append(
            HTTPSHeader(
                name: String(line[..<colon]),
                value: String(line[line.index(after: colon)...])
                    .trimmingCharacters(in: .whitespacesAndNewlines)
            )
        )
    }
    return size * count
}

/// libcurl's callback for octets of the body. A smaller return value than the count aborts the
/// request.
private func bodyReceived(
    octets: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    argument: UnsafeMutableRawPointer?
) -> Int {
    guard let octets, let argument else { return 0 }
    let answer = Unmanaged<CurlHandle.Answer>.fromOpaque(argument).takeUnretainedValue()
    guard answer.body.count + size * count <= answer.maximumOctets else {
        answer.isTooLong = true
        return 0
    }
    answer.body.append(contentsOf: UnsafeRawBufferPointer(start: octets, count: size * count))
    return size * count
}

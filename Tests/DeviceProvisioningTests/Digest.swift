import OpenSSL

func sha256(_ bytes: [UInt8]) -> [UInt8] { OpenSSL.SHA256.hash(bytes) }

# Sentences of problems: `problem-<code>`.
problem-record-id = Mã bản ghi không đúng dạng.

# Names with a grammar.
problem-doi = Đây không phải là DOI. DOI có dạng 10.5072/abc-123.
problem-orcid = Đây không phải là mã ORCID. Mã ORCID có dạng 0000-0002-1825-0097.
problem-orcid-check-digit = Ký tự cuối của mã ORCID không khớp với các ký tự trước: có một ký tự bị gõ sai.
problem-ror = Đây không phải là mã ROR. Mã ROR có dạng 02h40vc28.
problem-ror-check-digit = Hai chữ số cuối của mã ROR không khớp với phần còn lại: có một ký tự bị gõ sai.
problem-file-key-empty = Tệp không có tên.
problem-file-key-too-long = Tên tệp quá dài. Hãy rút ngắn tên hoặc dùng ít cấp thư mục hơn.
problem-file-key-path = Tên tệp là đường dẫn bên trong bộ dữ liệu: không bắt đầu bằng "/", và không phần nào được để trống, là "." hoặc "..".
problem-file-key-character = Tên tệp chứa ký tự không nhìn thấy hoặc không lưu được, chẳng hạn ký tự điều khiển. Hãy đổi tên tệp.
problem-sha256 = Đây không phải là mã kiểm tra SHA-256: mã này gồm 64 chữ số thập lục phân.
problem-md5 = Đây không phải là mã kiểm tra MD5: mã này gồm 32 chữ số thập lục phân.

# Bytes of uploads.
problem-upload-length = Đã nhận { $received } byte trong khi thông báo là { $expected } byte. Không có gì được lưu: vui lòng tải tệp lên lại.
problem-content-path = Đây không phải là đường dẫn của một tệp trong kho lưu trữ.

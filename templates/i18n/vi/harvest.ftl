# Tên các tập hợp (set) mà những kho khác thu thập qua OAI-PMH.
oai-set-latest = Phiên bản mới nhất
oai-set-openaire-data = OpenAIRE: dữ liệu nghiên cứu
oai-set-type = Loại: { $name }
oai-set-community = Cộng đồng: { $name }
